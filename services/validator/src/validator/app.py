"""The validator, wired."""

from common.contracts.events import InvoiceFetched
from common.contracts.topics import Group, Topic
from common.db.dead_letters import PostgresDeadLetters
from common.db.postgres_alerts import PostgresAlerts
from common.db.sweeper import Sweep, Sweeper
from common.invoice.stage import Stage
from common.isolation import Isolation
from common.kafka import Announcer, Consumers
from common.kafka.dead_letters import DeadLetters
from common.outcomes import MoveAnnouncer
from common.runtime import App, Resources
from common.workers import Workers
from ubl.work import warm
from validator.adapters.postgres import PostgresRows
from validator.adapters.postgres_dry_runs import PostgresDryRunItems
from validator.adapters.workers import Apart, WorkerValidation
from validator.dry_runs import JudgeDryRuns
from validator.handlers import on_due, on_invoices_fetched, park_due, park_event
from validator.settings import ValidatorSettings
from validator.use_cases import ValidateInvoices


async def build_app(settings: ValidatorSettings, resources: Resources) -> App:
    """Wire the validator."""
    database = resources.database
    announcer = Announcer(resources.broker, source="validator")
    moves = MoveAnnouncer(announcer, database, service="validator")
    workers, apart = (
        Workers(settings.validation_workers),
        Workers(1, preload=("validator.app", "common.runtime", "validator.adapters.warmed")),
    )
    alone, profile = Apart(apart.run), settings.validation_profile
    await workers.run(warm, profile)  # a profile that does not compile must stop the start, not the first batch
    rows, isolation = PostgresRows(database), Isolation("validator", alerts=PostgresAlerts(database))
    validate = ValidateInvoices(rows, WorkerValidation(workers.run, alone, profile))
    # What is due may have ended a worker: it must not end the one that the others wait for.
    careful = ValidateInvoices(rows, WorkerValidation(alone, alone, profile))
    sweep = Sweep(
        Stage.FETCHED,
        on_due(careful, moves.announce),
        park=park_due(careful.park, moves.announce),
        isolation=isolation,
    )
    rehearse = JudgeDryRuns(PostgresDryRunItems(database), WorkerValidation(alone, alone, profile))
    store = PostgresDeadLetters(database, settings.kafka_bootstrap_servers)
    letters = DeadLetters(Group.VALIDATOR, store, announcer)
    consumers = Consumers(resources.broker, Group.VALIDATOR, letters, alerts=PostgresAlerts(database))
    consumers.on(
        Topic.INVOICES_FETCHED,
        InvoiceFetched,
        on_invoices_fetched(validate, moves.announce),
        park=park_event(validate.park, moves.announce),
        isolation=isolation,
    )
    return App(
        subscribers=consumers.subscribers,
        loops=(Sweeper(database, (sweep,), service="validator").run, alone.stand_by, rehearse.run),
        close=(workers.close, apart.close),
    )
