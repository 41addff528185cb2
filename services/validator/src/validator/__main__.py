"""`python -m validator`."""

from common.runtime import run_service
from validator.app import build_app
from validator.settings import ValidatorSettings

if __name__ == "__main__":
    run_service("validator", ValidatorSettings, build_app, stable_plans=True)
