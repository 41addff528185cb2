"""How the system is, at a glance."""

from collections.abc import Sequence
from typing import Any

import typer

from cli.commands.alerts import describe as describe_alert
from cli.commands.switches import describe
from cli.show import moment, print_facts, print_json
from cli.surroundings import FAILED, AsJson, Url, gateway, here
from client import Alert, GatewayClient, JobSummary, Pause

_MOST = 200


def status(context: typer.Context, *, url: Url = None, as_json: AsJson = False) -> None:
    """Show health, pauses, open alerts, open jobs, what the last job left; exit code 1 where it is not healthy."""
    with gateway(context, url) as client:
        health = client.health()
        # said first and on its own: it needs no sign-in
        if not as_json:
            parts = ", ".join(f"{part} {state}" for part, state in health.get("parts", {}).items())
            print_facts(here(context).console, [("gateway", f"{health.get('status')} ({parts})")])
        open_jobs, newest, paused = _open_jobs(client), client.jobs(limit=1).items, client.switches().items
        alerts = client.alerts(limit=_MOST).items
    last = newest[0] if newest else None
    if as_json:
        print_json(_as_json(health, open_jobs, last, paused, alerts))
    else:
        facts = [("open jobs", open_jobs), ("last job", _describe(last)), *(("paused", describe(it)) for it in paused)]
        print_facts(here(context).console, [*facts, *(("alert", describe_alert(it)) for it in alerts)])
    if health.get("status") != "ok":
        raise typer.Exit(FAILED)


def _open_jobs(client: GatewayClient) -> int:
    return sum(len(client.jobs(status=state, limit=_MOST).items) for state in ("pending", "running"))


def _as_json(
    health: dict[str, Any], open_jobs: int, last: JobSummary | None, paused: Sequence[Pause], alerts: Sequence[Alert]
) -> dict[str, Any]:
    return {
        "gateway": health,
        "open_jobs": open_jobs,
        "last_job": last.model_dump(mode="json") if last else None,
        "paused": [pause.model_dump(mode="json") for pause in paused],
        "alerts": [alert.model_dump(mode="json") for alert in alerts],
    }


def _describe(job: JobSummary | None) -> str:
    if job is None:
        return "none yet"
    return (
        f"{job.job_id} {job.status}, created {moment(job.created_at)}: "
        f"{job.results.failed} failed, {job.results.held} held"
    )
