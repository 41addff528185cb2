"""What looks at the night from outside its run, once a minute."""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg
from pydantic import TypeAdapter

from common.clock import SYSTEM_CLOCK
from common.errors import InfrastructureError, PermanentError
from orchestration.adapters.dagster_runs import DagsterRuns
from orchestration.assets import GATEWAY_JOBS
from orchestration.domain.night import Memory
from orchestration.domain.observing import Seen, observe
from orchestration.ports import Gateway, Voice
from orchestration.resources import SCHEDULE
from orchestration.telling import of_glance
from orchestration.ticks import last_night
from orchestration.watching import WatchTheNight

EVERY = 60
_MOST = 200
_MEMORY, _SEEN = TypeAdapter(Memory), TypeAdapter(Seen)


@dg.sensor(
    minimum_interval_seconds=EVERY,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells people when a night has brought no job: not started, killed, late, or nobody answers.",
)
def night_watch(
    context: dg.SensorEvaluationContext, gateway: dg.ResourceParam[Gateway], slack: dg.ResourceParam[Voice]
) -> dg.SensorResult:
    now = SYSTEM_CLOCK.now()
    memory = _MEMORY.validate_json(context.cursor) if context.cursor else Memory(watching_since=now)
    watch = WatchTheNight(
        gateway,
        DagsterRuns(context.instance),
        slack,
        late_after=timedelta(seconds=SCHEDULE.night_late_after),
        patience=timedelta(seconds=SCHEDULE.gateway_silence),
    )
    memory = watch(last_night(now), memory)
    return dg.SensorResult(skip_reason=_standing(memory), cursor=_MEMORY.dump_json(memory).decode())


@dg.sensor(
    minimum_interval_seconds=EVERY,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Observes jobs that were started elsewhere, when they end.",
)
def gateway_jobs(context: dg.SensorEvaluationContext, gateway: dg.ResourceParam[Gateway]) -> dg.SensorResult:
    seen = _SEEN.validate_json(context.cursor) if context.cursor else Seen(SYSTEM_CLOCK.now())
    try:
        listed = gateway.jobs(scheduled=False, limit=_MOST)
    except (InfrastructureError, PermanentError) as error:
        return dg.SensorResult(skip_reason=f"the gateway does not answer: {error}"[:500])
    ended, seen = observe(listed, seen)
    events = [dg.AssetObservation(GATEWAY_JOBS, metadata=of_glance(job)) for job in ended]
    return dg.SensorResult(asset_events=events, cursor=_SEEN.dump_json(seen).decode())


def _standing(memory: Memory) -> str:
    if memory.silent_since is not None:
        return f"no answer from the gateway since {memory.silent_since:%H:%M} UTC"
    return f"told of {', '.join(sorted(memory.opened))}" if memory.opened else "nothing to tell"


SENSORS: Sequence[dg.SensorDefinition] = (night_watch, gateway_jobs)
