"""What the notifier is told by its environment."""

from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from common.settings import CommonSettings, Networks, Seconds, SigningKey, TimeZone
from notifier.domain.addresses import checked_address
from notifier.domain.channels import Rhythm, What
from notifier.domain.message import Severity
from notifier.domain.still_open import MORNING, SAID_AFTER
from notifier.domain.words import Language

Address = Annotated[str, AfterValidator(checked_address)]
ChannelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Recipient(BaseModel):
    """Of e-mail. Its name in EMAIL_RECIPIENTS is shown where its address is not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: Address
    language: Language | None = None
    at_least: Severity = Severity.INFO
    rhythm: Rhythm = Rhythm.AT_ONCE
    what: What = What.ALL


class OwnerOf(BaseModel):
    """Of all causes and alerts whose name begins with one of `prefixes`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=60)
    prefixes: tuple[Annotated[str, StringConstraints(min_length=1, max_length=80)], ...] = Field(min_length=1)
    channels: tuple[str, ...] = ()


class NotifierSettings(CommonSettings):
    slack_webhook_url: SecretStr | None = None
    slack_timeout: float = Field(default=10.0, gt=0, le=60, description="seconds for one post; a claim lasts thrice it")
    slack_at_least: Severity = Severity.INFO
    slack_rhythm: Rhythm = Rhythm.AT_ONCE

    smtp_host: str | None = Field(default=None, description="unset: no e-mail")
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_ca_file: Path | None = Field(default=None, description="whom to trust, where the machine does not know it")
    smtp_timeout: float = Field(default=20.0, gt=0, le=120, description="seconds for one mail; a claim lasts thrice it")
    email_from: Address | None = None
    email_recipients: dict[ChannelName, Recipient] = Field(default_factory=dict)
    alert_owners: tuple[OwnerOf, ...] = ()

    notify_language: Language = Language.EN
    quiet_from: time = Field(default=time(0), description="the same as QUIET_UNTIL: no quiet hours")
    quiet_until: time = time(0)
    digest_at: time = time(8)
    digest_day: int = Field(default=1, ge=1, le=7, description="1 is Monday")

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

    @model_validator(mode="after")
    def _can_write_letters(self) -> Self:
        if self.smtp_host is None:
            return self
        if self.email_from is None or not self.email_recipients:
            raise ValueError("SMTP_HOST needs EMAIL_FROM and EMAIL_RECIPIENTS")
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("SMTP_USERNAME and SMTP_PASSWORD belong together")
        if self.smtp_password and self.smtp_security == "none" and self.smtp_host not in LOOPBACK:
            raise ValueError("a password is not sent without TLS: set SMTP_SECURITY to starttls or tls")
        return self

    @model_validator(mode="after")
    def _owners_have_channels(self) -> Self:
        known = {"slack", *(f"email:{name}" for name in self.email_recipients)}
        strange = sorted({channel for owner in self.alert_owners for channel in owner.channels} - known)
        if strange:
            raise ValueError(f"ALERT_OWNERS names {', '.join(strange)}; there are {', '.join(sorted(known))}")
        return self
