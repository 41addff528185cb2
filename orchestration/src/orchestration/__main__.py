"""The code server: `python -m orchestration OPTIONS` checks the settings, then becomes `dagster api grpc OPTIONS`.

So a missing secret is one line at the start, and not a failed run at two in the morning.
"""

import os
import sys

from common.errors import ConfigurationError
from common.settings import exit_with, load_settings
from orchestration.settings import RunSettings, ScheduleSettings

try:
    load_settings(ScheduleSettings)
    load_settings(RunSettings)
except ConfigurationError as error:
    exit_with(error)
os.execv(  # noqa: S606 - this very interpreter, no shell
    sys.executable,
    [sys.executable, "-m", "dagster", "api", "grpc", "-m", "orchestration.definitions", *sys.argv[1:]],
)
