"""What Dagster's storage says, read through `DagsterInstance`: what is new since the last reading."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import dagster as dg

from orchestration.exporter.domain import FINISHED, STARTED, EndedRun, Totals, operations_of

ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
OPEN = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
KINDS = {dg.DagsterEventType[name] for name in (*FINISHED, *STARTED)}
PAGE = 500
OVERLAP = timedelta(seconds=60)
"""Read again each time: a run's row carries the time of its change, and is seen when that is committed."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What holds now, and is no total."""

    open_runs: Mapping[tuple[str, str], int]
    daemons: Mapping[str, bool]


@dataclass(slots=True)
class History:
    """Reads `instance` into `totals`. A reading that fails in its middle loses nothing: the next one goes on."""

    instance: dg.DagsterInstance
    totals: Totals = field(default_factory=Totals)
    _since: datetime | None = None
    _cursors: dict[dg.AssetKey, int] = field(default_factory=dict[dg.AssetKey, int])

    def read(self) -> Moment:
        latest = self._since
        for record in self._changed_runs():
            if not self.totals.has(record.storage_id):
                self.totals.count(self._ended(record))
            latest = max(latest or record.update_timestamp, record.update_timestamp)
        self._since = latest
        for asset in self.instance.get_asset_keys():
            self._count_materializations(asset)
        return Moment(self._open_runs(), self._daemons())

    def _changed_runs(self) -> Iterator[dg.RunRecord]:
        """Those that ended, by their number: times are not unique, so they cannot turn pages."""
        since = self._since - OVERLAP if self._since else None
        filters = dg.RunsFilter(statuses=list(ENDED), updated_after=since)
        cursor: str | None = None
        while page := self.instance.get_run_records(filters, limit=PAGE, ascending=True, cursor=cursor):
            yield from page
            cursor = page[-1].dagster_run.run_id

    def _ended(self, record: dg.RunRecord) -> EndedRun:
        run, began, ended = record.dagster_run, record.start_time, record.end_time
        return EndedRun(
            number=record.storage_id,
            job=run.job_name,
            status=run.status.value.lower(),
            ended_at=ended or record.update_timestamp.timestamp(),
            seconds=max(0.0, ended - began) if began is not None and ended is not None else None,
            operations=operations_of(self._events(run.run_id)),
        )

    def _events(self, run_id: str) -> Iterator[tuple[str, str]]:
        cursor: str | None = None
        more = True
        while more:
            page = self.instance.get_records_for_run(run_id, cursor=cursor, of_type=KINDS, limit=PAGE)
            for record in page.records:
                entry = record.event_log_entry
                if entry.step_key and entry.dagster_event_type:
                    yield entry.step_key, entry.dagster_event_type.value
            cursor, more = page.cursor, page.has_more

    def _count_materializations(self, asset: dg.AssetKey) -> None:
        more = True
        while more:
            after = dg.AssetRecordsFilter(asset_key=asset, after_storage_id=self._cursors.get(asset))
            page = self.instance.fetch_materializations(after, limit=PAGE, ascending=True)
            self.totals.materializations[asset.to_user_string()] += len(page.records)
            if page.records:
                self._cursors[asset] = page.records[-1].storage_id
            more = page.has_more

    def _open_runs(self) -> Mapping[tuple[str, str], int]:
        records: Sequence[dg.RunRecord] = self.instance.get_run_records(dg.RunsFilter(statuses=list(OPEN)), limit=PAGE)
        return Counter((record.dagster_run.job_name, record.dagster_run.status.value.lower()) for record in records)

    def _daemons(self) -> Mapping[str, bool]:
        statuses = self.instance.get_daemon_statuses()
        return {name: bool(status.healthy) for name, status in statuses.items() if status.required}
