"""The code location that Dagster loads. Nothing is connected at import. Run as several processes, see `home`."""

import dagster as dg

from orchestration.assets import ASSETS
from orchestration.checks import CHECKS
from orchestration.jobs import daily_processing, health_monitoring, manual_trigger
from orchestration.resources import RESOURCES
from orchestration.schedules import SCHEDULES
from orchestration.sensors import SENSORS

defs = dg.Definitions(
    assets=ASSETS,
    asset_checks=CHECKS,
    jobs=[daily_processing, health_monitoring, manual_trigger],
    schedules=SCHEDULES,
    sensors=SENSORS,
    resources=RESOURCES,
    executor=dg.in_process_executor,  # also of what somebody materializes by hand
)
