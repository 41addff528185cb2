"""`python -m notifier`."""

from common.runtime import run_service
from notifier.app import build_app
from notifier.settings import NotifierSettings

run_service("notifier", NotifierSettings, build_app)
