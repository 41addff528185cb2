"""The seed's three jobs."""

import dagster as dg

from orchestration.assets import GROUP
from orchestration.health import look_at_tonight, preview_tonight
from orchestration.resources import SCHEDULE

MARGIN = 1800
"""Dagster ends a run this many seconds after the run should have ended itself."""
_INVOICES = dg.AssetSelection.groups(GROUP).materializable()
_TAGS = {
    # Only a run whose process died is run again; it finds its job and follows it.
    "dagster/max_retries": "2",
    "dagster/max_runtime": str(SCHEDULE.follow_deadline + SCHEDULE.told_within + MARGIN),
}

daily_processing = dg.define_asset_job(
    "daily_processing",
    selection=_INVOICES,
    executor_def=dg.in_process_executor,
    description="Process what is new at the source: every night, or by hand for a job of its own.",
    tags=_TAGS,
)

manual_trigger = dg.define_asset_job(
    "manual_trigger",
    selection=_INVOICES,
    executor_def=dg.in_process_executor,
    description="Process what is new, or exactly some invoices, also again, or only rehearse it.",
    tags=_TAGS,
)


@dg.job(
    executor_def=dg.in_process_executor,
    description="In office hours: whether tonight will work, and what it would do.",
    tags={"dagster/max_runtime": "7200"},
)
def health_monitoring() -> None:
    preview_tonight(look_at_tonight())
