"""The sender, wired."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from common.amnesia import MEMORY_CHECK, Memory, last_claims_in
from common.configuration import REGISTRY, UNLIMITED, Value
from common.contracts.events import InvoiceValidated
from common.contracts.topics import Group, Topic
from common.db.configuration import LiveConfiguration
from common.db.dead_letters import PostgresDeadLetters
from common.db.job_facts import KnownJobs
from common.db.pool import Database
from common.db.postgres_alerts import PostgresAlerts
from common.db.reachability import ReachabilityWatch
from common.db.sweeper import Sweeper
from common.db.switches import paused
from common.invoice.move import Moved
from common.kafka import Announcer, Consumers
from common.kafka.dead_letters import DeadLetters
from common.observability.spans import tracer
from common.outcomes import MoveAnnouncer, outcome
from common.runtime import App, Resources
from sender.adapters.clearfacts_graphql import GraphqlDestination
from sender.adapters.clearfacts_rest import RestDestination
from sender.adapters.destination_reachability import destination_look
from sender.adapters.postgres import PostgresClaims
from sender.adapters.postgres_destinations import PostgresDestinations
from sender.adapters.postgres_statements import PostgresStatements, statement_sweep
from sender.adapters.postgres_unknowns import PostgresUnknowns
from sender.adapters.traced import TracedDestination
from sender.domain.evidence import Rules
from sender.domain.flow import Aimd, Bucket
from sender.gate import Gate
from sender.gatekeeper import Gatekeeper, Limits
from sender.handlers import on_invoices_validated
from sender.pump import Pump
from sender.remembering import Remembered
from sender.resolving import Resolver
from sender.settings import SenderSettings
from sender.settling import Settler
from sender.statements import ReadStatements
from sender.sweeps import LOOKUPS, SenderSweeps

CLEAR_EVERY = timedelta(seconds=0.5)
"""How long the timers of announced ends are gathered: one statement for hundreds of rows instead of one each."""


async def build_app(settings: SenderSettings, resources: Resources) -> App:
    """Wire the sender."""
    database = resources.database
    announcer, jobs = Announcer(resources.broker, source="sender"), KnownJobs(database)
    moves = MoveAnnouncer(announcer, database, service="sender", jobs=jobs, clear_every=CLEAR_EVERY)
    destination = make_destination(settings)
    rules = Rules(destination.lookup, settings.send_settle, destination.idempotency_key, settings.key_margin)
    claims = PostgresClaims(database, rules)
    settler = Settler(claims, moves.announce)

    gate = make_gate(settings, lookup=destination.lookup)
    keeper = make_keeper(settings, gate, database, destination)
    memory = Memory(database, last_claims_in(settings.kafka_bootstrap_servers))
    pump = Pump(
        Remembered(claims, memory),
        TracedDestination(destination, jobs) if tracer.on else destination,
        settler,
        gate,
        announce=claims_announcer(announcer, jobs),
        deadline=settings.send_deadline,
        lease=settings.send_lease,
    )
    store = PostgresDeadLetters(database, settings.kafka_bootstrap_servers)
    letters, alerts = DeadLetters(Group.SENDER, store, announcer), PostgresAlerts(database)
    consumers = Consumers(resources.broker, Group.SENDER, letters, alerts=alerts)
    consumers.on(Topic.INVOICES_VALIDATED, InvoiceValidated, on_invoices_validated(pump.ring))
    resolve = Resolver(PostgresUnknowns(database), destination, rules, announce=moves.announce)
    sweeps = SenderSweeps(claims, resolve, moves.announce)
    sweeper = Sweeper(database, sweeps.quick(), service="sender")
    stated = statement_sweep(ReadStatements(PostgresStatements(database), destination, moves.announce))
    resolver = Sweeper(database, [*sweeps.slow(), stated], service="sender", batch=LOOKUPS)
    reach = ReachabilityWatch(database, "sender", destination_look(destination, database), every=settings.reach_every)
    return App(
        subscribers=consumers.subscribers,
        loops=(pump.run, settler.run, keeper.run, sweeper.run, resolver.run, moves.run, reach.run),
        drain=(pump.drain, moves.clear),
        close=(destination.aclose,),
        checks={MEMORY_CHECK: memory.remembers},
        stalled=pump.stalled,
    )


def claims_announcer(announcer: Announcer, jobs: KnownJobs) -> Callable[[Sequence[Moved]], Awaitable[None]]:
    """Tells of claims; where deliveries are traced it also learns in which trace, while there is time to ask."""

    async def announce(claimed: Sequence[Moved]) -> None:
        await announcer.announce(Topic.INVOICES_OUTCOMES, [outcome(moved) for moved in claimed])
        if tracer.on:
            await jobs.learn({moved.job_id for moved in claimed})

    return announce


def make_gate(settings: SenderSettings, *, lookup: bool) -> Gate:
    """The gate in front of the destination; where that cannot be looked up, nothing claimed waits in memory."""
    return Gate(
        Aimd(start=settings.send_start, ceiling=settings.send_concurrency, adaptive=settings.send_adaptive),
        ceiling=settings.send_concurrency,
        prefetch=settings.prefetch if lookup else 0,  # after a kill each claim there is unknown, and would be held
        bucket=Bucket(settings.send_rate) if settings.send_rate else None,
    )


def make_keeper(
    settings: SenderSettings, gate: Gate, database: Database, destination: RestDestination | GraphqlDestination
) -> Gatekeeper:
    """What tells the gate of the other replicas and of the switches, and them of it."""
    token = settings.destination_token.get_secret_value() if settings.destination_token else None
    shared = PostgresDestinations(database, str(settings.destination_url), token)
    limits = live_limits(settings, LiveConfiguration(database, "sender"))
    pauses = partial(paused, database, "sender")
    return Gatekeeper(gate, shared, destination, pauses, rate=settings.send_rate, limits=limits)


def live_limits(
    settings: SenderSettings, live: Callable[[], Awaitable[Mapping[str, Value]]]
) -> Callable[[], Awaitable[Limits]]:
    """What the table says, and where it says nothing the environment."""

    async def limits() -> Limits:
        values = await live()
        rate = values.get("send_rate", settings.send_rate)
        ceiling = values.get("send_concurrency", settings.send_concurrency)
        return Limits(int(ceiling), None if rate is None or rate == UNLIMITED else float(rate))

    return limits


def make_destination(settings: SenderSettings) -> RestDestination | GraphqlDestination:
    """The transport that the settings name."""
    common: dict[str, Any] = {
        "token": settings.destination_token.get_secret_value() if settings.destination_token else None,
        "connections": int(REGISTRY["send_concurrency"].maximum or 0),  # the gate bounds what is used of them
        "deadline": settings.send_deadline,
        "keepalive": settings.http_keepalive,
    }
    url = str(settings.destination_url)
    if settings.destination_transport == "graphql":
        return GraphqlDestination.at(url, company_field=settings.graphql_company_field, **common)
    return RestDestination.at(url, key_life=settings.key_life, **common)
