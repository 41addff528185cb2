"""What the notifier is told by its environment."""

from datetime import time

from pydantic import Field, SecretStr, field_validator

from common.settings import CommonSettings, Networks, Seconds, SigningKey, TimeZone
from notifier.domain.still_open import MORNING, SAID_AFTER


class NotifierSettings(CommonSettings):
    slack_webhook_url: SecretStr | None = None
    slack_timeout: float = Field(default=10.0, gt=0, le=60, description="seconds for one post; a claim lasts thrice it")
    public_url: str = Field(default="http://127.0.0.1:8000", description="where people reach the gateway")

    schedule_timezone: TimeZone = Field(default="Europe/Brussels", description="whose clock REPORT_AT is on")
    report_at: time = Field(default=MORNING, description="the morning report's, 07:30; the configuration may override")
    job_late_after: Seconds = Field(default=SAID_AFTER, description="after its listing; the configuration may override")

    webhook_signing_key: SigningKey | None = Field(default=None, description="as the gateway has it")
    webhook_networks: Networks = Field(default=(), description="own networks that deliveries may go to, also by http")
    webhook_timeout: float = Field(
        default=15.0, gt=0, le=60, description="seconds for one delivery; a claim's is thrice"
    )

    @field_validator("slack_webhook_url")
    @classmethod
    def _is_a_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("https://", "http://")):
            raise ValueError("give the whole address of an incoming webhook, https://hooks.slack.com/services/...")
        return value
