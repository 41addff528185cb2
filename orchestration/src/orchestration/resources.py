"""What runs and sensors are given. Nothing is connected before it is used; secrets stay out of what Dagster stores."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
from pydantic import Field

from client import GatewayClient
from common.clock import SYSTEM_CLOCK
from common.errors import ConfigurationError
from common.settings import load_settings
from orchestration.adapters.gateway import ClientGateway
from orchestration.adapters.kafka import KafkaTrigger
from orchestration.adapters.slack import SlackVoice
from orchestration.domain.schedule import next_at
from orchestration.domain.trigger import Order, trace_id_of
from orchestration.ports import Gateway, Trigger
from orchestration.settings import RunSettings, ScheduleSettings
from orchestration.use_cases import ProcessInvoices

SCHEDULE = load_settings(ScheduleSettings)


class Configuration(dg.ConfigurableResource[None]):
    """What a run by hand may be told; the schedule's runs leave all of it as it is."""

    force_processing: bool = False
    invoice_ids: list[str] = Field(default_factory=list[str])
    reason: str = ""
    dry_run: bool = False

    def order(self) -> Order:
        return Order(self.force_processing, tuple(self.invoice_ids), self.reason.strip() or None, self.dry_run)


@dg.resource(description="The gateway's API, signed in.")
def gateway(context: dg.InitResourceContext) -> ClientGateway:  # noqa: ARG001 - Dagster's signature
    settings = run_settings()
    credentials = (settings.gateway_username, settings.gateway_password.get_secret_value())
    return ClientGateway(GatewayClient(settings.gateway_url, credentials=credentials))


@dg.resource(description="Kafka, for the one record that asks for a job.")
def broker(context: dg.InitResourceContext) -> KafkaTrigger:
    run = context.run
    trace = trace_id_of(run.root_run_id or run.run_id) if run else None
    settings = run_settings()
    receiver = str(settings.otel_exporter_otlp_endpoint) if settings.otel_exporter_otlp_endpoint else None
    return KafkaTrigger(settings.kafka_bootstrap_servers, trace=trace, receiver=receiver)


@dg.resource(description="Slack itself, for when the gateway is away; all else the notifier says.")
def slack(context: dg.InitResourceContext) -> SlackVoice:  # noqa: ARG001 - Dagster's signature
    url = run_settings().slack_webhook_url
    return SlackVoice(url.get_secret_value() if url else None)


@dg.resource(required_resource_keys={"gateway", "broker"}, description="The story, wired when a run begins.")
def processing(context: dg.InitResourceContext) -> ProcessInvoices:
    given_gateway: Gateway = context.resources.gateway
    given_broker: Trigger = context.resources.broker
    return ProcessInvoices(
        given_broker,
        given_gateway,
        deadline=timedelta(seconds=SCHEDULE.follow_deadline),
        report_at=report_at(SYSTEM_CLOCK.now()),
    )


def report_at(started: datetime) -> datetime:
    """When people are told how the night went that began then."""
    return next_at(started, SCHEDULE.report_at, ZoneInfo(SCHEDULE.schedule_timezone))


def run_settings() -> RunSettings:
    try:
        return load_settings(RunSettings)
    except ConfigurationError as error:
        raise dg.Failure(f"cannot start: {error}", allow_retries=False) from None


RESOURCES = {
    "gateway": gateway,
    "broker": broker,
    "slack": slack,
    "processing": processing,
    "configuration": Configuration.configure_at_launch(),
}
