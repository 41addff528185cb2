"""What the notifier is told by its environment."""

from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator

from common.settings import CommonSettings


class NotifierSettings(CommonSettings):
    slack_webhook_url: SecretStr | None = None
    slack_timeout: float = Field(default=10.0, gt=0, le=60, description="seconds for one post; a claim lasts thrice it")
    public_url: str = Field(default="http://127.0.0.1:8000", description="where people reach the gateway")

    schedule_timezone: str = Field(default="Europe/Brussels", description="whose 07:30 the morning report is for")

    @field_validator("slack_webhook_url")
    @classmethod
    def _is_a_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("https://", "http://")):
            raise ValueError("give the whole address of an incoming webhook, https://hooks.slack.com/services/...")
        return value

    @field_validator("schedule_timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, OSError, ValueError):
            raise ValueError(f"{value!r} is no time zone; give a name like Europe/Brussels or Etc/GMT-1") from None
        return value
