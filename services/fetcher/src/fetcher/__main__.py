"""`python -m fetcher`."""

from common.runtime import run_service
from fetcher.app import build_app
from fetcher.settings import FetcherSettings

if __name__ == "__main__":
    run_service("fetcher", FetcherSettings, build_app)
