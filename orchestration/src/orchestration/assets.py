"""The seed's four assets, each one op; and the jobs that are started elsewhere, which are only observed."""

from datetime import timedelta
from typing import Any

import dagster as dg

from orchestration.ops import retrieve_invoices, send_notifications, send_to_clearfacts, validate_invoices

GROUP = "invoices"
GATEWAY_JOBS = dg.AssetKey("gateway_jobs")
_NIGHTLY = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=27))
"""A night is 23 to 25 hours after the one before; two hours are for the work itself."""


@dg.graph_asset(group_name=GROUP, description="What the source listed.")
def raw_invoices() -> None:
    return retrieve_invoices()


@dg.graph_asset(
    group_name=GROUP, ins={"raw_invoices": dg.AssetIn(dagster_type=dg.Nothing)}, description="What was judged valid."
)
def validated_invoices(raw_invoices: Any) -> None:
    return validate_invoices(raw_invoices)


@dg.graph_asset(
    group_name=GROUP,
    ins={"validated_invoices": dg.AssetIn(dagster_type=dg.Nothing)},
    description="What is at Clearfacts, and what became of the rest.",
)
def processed_invoices(validated_invoices: Any) -> None:
    return send_to_clearfacts(validated_invoices)


@dg.graph_asset(
    group_name=GROUP,
    ins={"processed_invoices": dg.AssetIn(dagster_type=dg.Nothing)},
    description="The job's numbers, as people were told them.",
)
def job_metrics(processed_invoices: Any) -> None:
    return send_notifications(processed_invoices)


def _fresh(spec: dg.AssetSpec) -> dg.AssetSpec:
    return dg.apply_freshness_policy(spec, _NIGHTLY)


ASSETS = [
    *(asset.map_asset_specs(_fresh) for asset in (raw_invoices, validated_invoices, processed_invoices, job_metrics)),
    dg.AssetSpec(
        GATEWAY_JOBS,
        group_name=GROUP,
        description="Jobs that were started in the gateway, by people or programs: observed when they end.",
    ),
]
