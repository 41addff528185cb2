"""What orchestration is told by its environment; secrets are read when a run begins, never at import."""

from pydantic import Field, SecretStr

from common.settings import Settings, TimeZone


class ScheduleSettings(Settings):
    """Read when Dagster loads the code location."""

    schedule_timezone: TimeZone = "Europe/Brussels"
    schedule_cron: str = Field(
        default="0 2 * * *",
        pattern=r"^\S+( \S+){4}$",
        description="minute hour day month weekday, in schedule_timezone",
    )
    follow_deadline: int = Field(default=21_600, gt=0, description="seconds a run follows its job before it fails")


class RunSettings(Settings):
    """Read in the run's own process."""

    kafka_bootstrap_servers: str
    gateway_url: str
    gateway_username: str
    gateway_password: SecretStr
    public_url: str | None = Field(default=None, description="where people reach the gateway, default gateway_url")
