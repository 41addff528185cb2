"""The fetcher, wired."""

from collections.abc import Sequence
from functools import partial

import httpx

from common.amnesia import MEMORY_CHECK, Memory, last_claims_in
from common.contracts.events import JobEvent, JobRequested
from common.contracts.topics import Group, Topic
from common.db.dead_letters import PostgresDeadLetters
from common.db.job_facts import KnownJobs
from common.db.partitions import Partitions
from common.db.pool import Database
from common.db.postgres_alerts import PostgresAlerts
from common.db.reachability import ReachabilityWatch
from common.db.sweeper import Sweeper
from common.http.client import make_client
from common.invoice_spans import JOB_ID
from common.kafka import Announcer, Consumers
from common.kafka.dead_letters import DeadLetters
from common.observability.spans import Attribute, tracer
from common.observability.tracing import current
from common.outcomes import MoveAnnouncer
from common.runtime import App, Loop, Resources
from common.workers import Workers
from fetcher.adapters.postgres_administrations import PostgresAdministrations
from fetcher.adapters.postgres_closing import PostgresClosing
from fetcher.adapters.postgres_dry_run_ends import PostgresDryRunEnds
from fetcher.adapters.postgres_dry_run_pages import PostgresDryRunPages
from fetcher.adapters.postgres_dry_runs import PostgresDryRuns
from fetcher.adapters.postgres_jobs import PostgresJobs
from fetcher.adapters.postgres_pages import PostgresPages
from fetcher.adapters.postgres_sweeps import FetcherSweeps
from fetcher.adapters.source_reachability import source_look
from fetcher.adapters.source_rest import Fields, RestSource
from fetcher.adapters.workers import WorkerIdentification
from fetcher.dry_runs import CloseDryRuns, nobody_hears_jobs, nobody_hears_moves
from fetcher.handlers import on_jobs_requested
from fetcher.planning import Planner
from fetcher.remembering import RememberedLeases, RememberedPages
from fetcher.settings import FetcherSettings
from fetcher.use_cases import CloseJobs, JobRunner, ListSource
from ubl.identity import Direction


async def build_app(settings: FetcherSettings, resources: Resources) -> App:
    """Wire the fetcher."""
    database = resources.database
    announcer = Announcer(resources.broker, source="fetcher")
    moves = MoveAnnouncer(announcer, database, service="fetcher")
    announce_jobs = partial(_announce_jobs, announcer, KnownJobs(database))
    workers = Workers(settings.parse_workers)
    administrations = PostgresAdministrations(
        database, default=settings.default_administration, both=Direction(settings.both_ours)
    )
    await administrations.open(settings.administrations)
    client = _client(settings)
    jobs = _jobs(settings, database)
    memory = Memory(database, last_claims_in(settings.kafka_bootstrap_servers))
    planner = Planner(WorkerIdentification(workers.run), administrations)
    listing = ListSource(
        _source(settings, client),
        jobs,
        RememberedPages(PostgresPages(database, planner, lease=settings.job_lease), memory),
        announce=moves.announce,
        announce_jobs=announce_jobs,
        retries=settings.source_retries,
    )
    renew_every = settings.job_lease / 3
    runner = JobRunner(RememberedLeases(jobs, memory), listing, at_once=settings.jobs_at_once, renew_every=renew_every)
    dry_runs = _dry_runs(settings, database, _source(settings, client), planner, memory)
    closer = CloseJobs(PostgresClosing(database), announce_jobs, announce_moves=moves.announce)
    sweeper = Sweeper(database, FetcherSweeps(database, moves.announce).all(), service="fetcher")
    reach = _reach(settings, database, client)
    consumers = _consumers(settings, resources, announcer)
    consumers.on(Topic.JOBS_REQUESTED, JobRequested, on_jobs_requested(jobs, runner.ring))
    return App(
        subscribers=consumers.subscribers,
        loops=(runner.run, closer.run, sweeper.run, Partitions(database).run, reach, *dry_runs),
        close=(client.aclose, workers.close),
        checks={MEMORY_CHECK: memory.remembers},
    )


def _consumers(settings: FetcherSettings, resources: Resources, announcer: Announcer) -> Consumers:
    store = PostgresDeadLetters(resources.database, settings.kafka_bootstrap_servers)
    letters, alerts = DeadLetters(Group.FETCHER, store, announcer), PostgresAlerts(resources.database)
    return Consumers(resources.broker, Group.FETCHER, letters, alerts=alerts)


def _client(settings: FetcherSettings) -> httpx.AsyncClient:
    token = settings.source_token.get_secret_value() if settings.source_token else None
    return make_client(base_url=str(settings.source_url), token=token, connections=settings.jobs_at_once * 2 + 2)


def _source(settings: FetcherSettings, client: httpx.AsyncClient, *, limit: int | None = None) -> RestSource:
    return RestSource(
        client,
        limit=limit or settings.source_page_size,
        timeout=settings.source_timeout,
        fields=Fields(settings.source_id_field, settings.source_modified_field, settings.source_document_field),
    )


def _reach(settings: FetcherSettings, database: Database, client: httpx.AsyncClient) -> Loop:
    look = source_look(_source(settings, client, limit=1))
    return ReachabilityWatch(database, "fetcher", look, every=settings.reach_every).run


def _jobs(settings: FetcherSettings, database: Database) -> PostgresJobs:
    return PostgresJobs(
        database,
        lease=settings.job_lease,
        overlap=settings.watermark_overlap,
        full_listing_every=settings.full_listing_every,
    )


def _dry_runs(
    settings: FetcherSettings, database: Database, source: RestSource, planner: Planner, memory: Memory
) -> tuple[Loop, Loop]:
    """One at a time, and given no announcer: what it lists nobody can hear of."""
    lease, deadline = settings.job_lease, settings.dry_run_deadline
    runs = PostgresDryRuns(
        database,
        lease=lease,
        overlap=settings.watermark_overlap,
        full_listing_every=settings.full_listing_every,
        deadline=deadline,
    )
    listing = ListSource(
        source,
        runs,
        PostgresDryRunPages(database, planner, lease=lease),
        announce=nobody_hears_moves,
        announce_jobs=nobody_hears_jobs,
        retries=settings.source_retries,
    )
    runner = JobRunner(RememberedLeases(runs, memory), listing, at_once=1, renew_every=lease / 3)
    return runner.run, CloseDryRuns(PostgresDryRunEnds(database, deadline=deadline)).run


async def _announce_jobs(announcer: Announcer, known: KnownJobs, events: Sequence[JobEvent]) -> None:
    """In the span that is open, else in the trace of the jobs themselves: an end is nobody's answer."""
    asked = [await known.context(event.job_id) for event in events] if tracer.on and current.get() is None else []
    attributes: dict[str, Attribute] = {JOB_ID: ", ".join(str(event.job_id) for event in events)}
    name = f"job {', '.join(sorted({event.kind for event in events}))}"
    with tracer.span(name, parent=next(filter(None, asked), None), attributes=attributes):
        await announcer.announce(Topic.JOBS_EVENTS, events)
