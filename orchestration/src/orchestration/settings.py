"""What orchestration is told by its environment; secrets are read when a run begins, never at import."""

from datetime import time
from typing import Annotated

from pydantic import AnyHttpUrl, Field, SecretStr, StringConstraints

from common.settings import Settings, TimeZone

Cron = Annotated[str, StringConstraints(pattern=r"^\S+( \S+){4}$")]
"""minute hour day month weekday"""


class ScheduleSettings(Settings):
    """Read when Dagster loads the code location."""

    schedule_timezone: TimeZone = "Europe/Brussels"
    schedule_cron: Cron = Field(default="0 2 * * *", description="minute hour day month weekday, in schedule_timezone")
    start_within: int = Field(default=72_000, gt=0, description="seconds after its time that a missed night may start")
    follow_deadline: int = Field(default=21_600, gt=0, description="seconds a run follows its job before it fails")
    report_at: time = Field(default=time(7, 30), description="from when a run leaves a job that waits for retries")
    told_within: int = Field(default=900, gt=0, description="seconds a run waits for the notifier's message")
    night_late_after: int = Field(default=3600, gt=0, description="seconds without a listing before somebody is told")
    gateway_silence: int = Field(default=900, gt=0, description="seconds without the gateway before Slack is told")
    failed_share_limit: float = Field(default=0.1, ge=0, le=1, description="what share may fail on a usual night")
    preflight_cron: tuple[Cron, ...] = Field(
        default=("0 15 * * 1-5", "30 16 * * 1-5"), min_length=1, description="a JSON list, in schedule_timezone"
    )
    preview: bool = Field(default=True, description="whether the pre-flight also asks for a dry run of tonight")


class RunSettings(Settings):
    """Read in the run's own process."""

    kafka_bootstrap_servers: str
    gateway_url: str
    gateway_username: str
    gateway_password: SecretStr
    otel_exporter_otlp_endpoint: AnyHttpUrl | None = Field(default=None, description="a receiver of spans")
    slack_webhook_url: SecretStr | None = Field(default=None, description="only for when the gateway is away")
    public_url: str | None = Field(default=None, description="where people reach the gateway, default gateway_url")
