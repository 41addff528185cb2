"""The sender's settings. The order of its three clocks is what "never twice" rests on; it is checked at start."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, HttpUrl, SecretStr, model_validator

from common.settings import CommonSettings, Seconds


class SenderSettings(CommonSettings):
    destination_transport: Literal["rest", "graphql"] = "rest"
    destination_url: HttpUrl
    destination_token: SecretStr | None = None
    graphql_company_field: Literal["companyNumber", "vatnumber"] = "companyNumber"
    send_concurrency: int = Field(default=16, ge=1, le=512)
    send_prefetch: int | None = Field(default=None, ge=0, le=512, description="default: as many as the concurrency")
    send_adaptive: bool = Field(
        default=True, description="whether the concurrency adapts to the destination, SEND_CONCURRENCY being the most"
    )
    send_start: int = Field(default=4, ge=1, le=512, description="the concurrency it starts from")
    send_rate: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="documents a second, by all replicas; default: no limit"
    )
    send_deadline: Seconds = Field(default=timedelta(seconds=30), description="for one call, whole")
    send_lease: Seconds = Field(default=timedelta(seconds=90), description="how long a claim is ours")
    send_settle: Seconds = Field(
        default=timedelta(seconds=180), description="when the destination has made up its mind"
    )
    key_life: Seconds = Field(
        default=timedelta(hours=24), description="how long the destination knows an Idempotency-Key, from its first use"
    )
    key_margin: Seconds = Field(
        default=timedelta(hours=1), description="how long before that nothing is sent again any more"
    )
    http_keepalive: Seconds = timedelta(seconds=15)
    reach_every: Seconds = Field(
        default=timedelta(minutes=5),
        gt=timedelta(0),
        description="how often it is asked whether it answers",
    )

    stop_timeout: float = Field(default=45.0, gt=0, description="above SEND_DEADLINE: what is in flight has to end")

    @model_validator(mode="after")
    def _clocks_in_order(self) -> Self:
        if self.send_lease < self.send_deadline * 1.5:
            raise ValueError(
                "SEND_LEASE must be at least one and a half times SEND_DEADLINE, or no claim has time to leave"
            )
        if not timedelta(0) < self.send_deadline < self.send_lease < self.send_settle:
            raise ValueError(
                "SEND_DEADLINE < SEND_LEASE < SEND_SETTLE is required, "
                f"got {self.send_deadline.total_seconds():g} s, {self.send_lease.total_seconds():g} s, "
                f"{self.send_settle.total_seconds():g} s",
            )
        if self.key_margin < self.send_settle:
            raise ValueError("KEY_MARGIN must be at least SEND_SETTLE: a request may be late by that")
        return self

    @property
    def prefetch(self) -> int:
        """Claimed rows that wait in memory, so that a worker never waits for the database (measured: 0.63 to 0.85)."""
        return self.send_concurrency if self.send_prefetch is None else self.send_prefetch
