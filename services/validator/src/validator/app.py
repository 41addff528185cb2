"""The validator, wired."""

from common.contracts.events import InvoiceFetched
from common.contracts.topics import Group, Topic
from common.db.dead_letters import PostgresDeadLetters
from common.db.sweeper import Sweep, Sweeper
from common.invoice.stage import Stage
from common.kafka import Announcer, Consumers
from common.kafka.dead_letters import DeadLetters
from common.outcomes import MoveAnnouncer
from common.runtime import App, Resources
from common.workers import Workers
from ubl.work import warm
from validator.adapters.postgres import PostgresRows
from validator.adapters.workers import WorkerValidation
from validator.handlers import on_due, on_invoices_fetched
from validator.settings import ValidatorSettings
from validator.use_cases import ValidateInvoices


async def build_app(settings: ValidatorSettings, resources: Resources) -> App:
    """Wire the validator."""
    database = resources.database
    announcer = Announcer(resources.broker, source="validator")
    moves = MoveAnnouncer(announcer, database, service="validator")
    workers = Workers(settings.validation_workers)
    profile = settings.validation_profile
    await workers.run(warm, profile)  # a profile that does not compile must stop the start, not the first batch
    validate = ValidateInvoices(PostgresRows(database), WorkerValidation(workers.run, profile))
    sweep = Sweep(Stage.FETCHED, on_due(validate, moves.announce))
    store = PostgresDeadLetters(database, settings.kafka_bootstrap_servers)
    consumers = Consumers(resources.broker, Group.VALIDATOR, DeadLetters(Group.VALIDATOR, store, announcer))
    consumers.on(Topic.INVOICES_FETCHED, InvoiceFetched, on_invoices_fetched(validate, moves.announce))
    return App(
        subscribers=consumers.subscribers,
        loops=(Sweeper(database, (sweep,), service="validator").run,),
        close=(workers.close,),
    )
