"""`python -m sender`."""

from common.runtime import run_service
from sender.app import build_app
from sender.settings import SenderSettings

if __name__ == "__main__":
    run_service("sender", SenderSettings, build_app, stable_plans=True)
