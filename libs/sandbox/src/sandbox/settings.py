"""Settings of the sandbox; every name begins with `SANDBOX_`."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from sandbox.faults import Effect, Rule

REFUSED = Rule.model_validate({"effect": Effect.REFUSE, "matching": "-REFUSED$"})
UNKNOWN = Rule.model_validate({"effect": Effect.RESET_AFTER, "matching": "-UNKNOWN$", "times": 1})


class Settings(BaseSettings):
    """A kind of document is a count, or below 1 a share; see `Corpus`. Times are in seconds."""

    model_config = SettingsConfigDict(env_prefix="SANDBOX_", frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    source_port: int = Field(default=8081, ge=0, le=65535)
    destination_port: int = Field(default=8082, ge=0, le=65535)
    slack_port: int = Field(default=8083, ge=0, le=65535)
    traces_port: int = Field(default=4318, ge=0, le=65535)
    mail_port: int = Field(default=8025, ge=0, le=65535)  # SMTP
    mailbox_port: int = Field(default=8084, ge=0, le=65535)  # what it took, by HTTP
    data_dir: Path = Path(".clearfacts/sandbox")
    token: SecretStr = SecretStr("sandbox-token")  # asked of callers of the source and the destination

    folder: Path | None = None  # serve these files instead of generated documents
    corpus: Literal["bench-1", "demo"] = "demo"
    seed: int = 1
    count: int = Field(default=240, ge=0)
    duplicates: float = Field(default=0, ge=0)
    changed: float = Field(default=0, ge=0)
    malformed: float = Field(default=0, ge=0)
    invalid: float = Field(default=0, ge=0)
    refused: float = Field(default=0, ge=0)
    unknown: float = Field(default=0, ge=0)
    warm: bool = False  # make all documents before listening

    latency: float = Field(default=0, ge=0)  # of the destination
    jitter: float = Field(default=0, ge=0)
    rules: tuple[Rule, ...] = (REFUSED, UNKNOWN)  # of the destination, as JSON
    key_life: float | None = Field(default=86_400, ge=0)  # of an Idempotency-Key, as the sender's KEY_LIFE
    lookup_lag: float = Field(default=0, ge=0)
    conflicts: bool = False
    fsync: bool = False
