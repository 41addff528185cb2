"""What orchestration is told by its environment; secrets are read when a run begins, never at import."""

from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator

from common.settings import Settings


class ScheduleSettings(Settings):
    """Read when Dagster loads the code location."""

    schedule_timezone: str = "Europe/Brussels"
    schedule_cron: str = Field(
        default="0 2 * * *",
        pattern=r"^\S+( \S+){4}$",
        description="minute hour day month weekday, in schedule_timezone",
    )
    follow_deadline: int = Field(default=21_600, gt=0, description="seconds a run follows its job before it fails")

    @field_validator("schedule_timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, OSError, ValueError):
            raise ValueError(f"{value!r} is no time zone; give a name like Europe/Brussels or Etc/GMT-1") from None
        return value


class RunSettings(Settings):
    """Read in the run's own process."""

    kafka_bootstrap_servers: str
    gateway_url: str
    gateway_username: str
    gateway_password: SecretStr
    public_url: str | None = Field(default=None, description="where people reach the gateway, default gateway_url")
