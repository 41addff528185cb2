"""What the gateway can be told."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr, model_validator

from common.settings import CommonSettings, Environment, Networks, Seconds, Settings, SigningKey

SHORTEST_BOOTSTRAP_PASSWORD = 12


class FirstAdminSettings(Settings):
    """What `python -m gateway first-admin` needs."""

    database_url: SecretStr


class GatewaySettings(CommonSettings):
    jwt_keys_dir: Path
    redis_url: SecretStr | None = Field(default=None, description="may hold a password; without it throttles are local")
    public_url: str | None = Field(default=None, pattern=r"^https?://\S+$", description="where callers reach us")
    access_token_seconds: int = Field(default=3600, ge=60, le=86_400)
    send_settle: Seconds = Field(
        default=timedelta(seconds=180), description="as the sender has it: until then a resend is refused"
    )
    replay_lease: Seconds = Field(
        default=timedelta(seconds=10), description="after a kill another replica takes a replay up within it"
    )
    event_streams: int = Field(default=500, ge=1, description="live streams of jobs at once, of everybody, per replica")
    event_streams_per_user: int = Field(default=20, ge=1, description="live streams of jobs at once, per replica")
    dry_run_kept: Seconds = Field(default=timedelta(hours=24), description="until a dry run and its rows vanish")
    export_rows: int = Field(default=100_000, ge=1, le=10_000_000, description="of one export of invoices, at most")
    webhook_signing_key: SigningKey | None = Field(default=None, description="what secrets of webhooks are made from")
    webhook_networks: Networks = Field(default=(), description="own networks that webhooks may go to, also by http")
    bootstrap_admin_username: str | None = Field(default=None, min_length=1, max_length=200)
    bootstrap_admin_password: SecretStr | None = None

    @property
    def issuer(self) -> str:
        return (self.public_url or "clearfacts-gateway").rstrip("/")

    @property
    def behind_tls(self) -> bool:
        return bool(self.public_url and self.public_url.startswith("https://"))

    @model_validator(mode="after")
    def _bootstrap_is_whole(self) -> "GatewaySettings":
        if bool(self.bootstrap_admin_username) != bool(self.bootstrap_admin_password):
            raise ValueError("set both BOOTSTRAP_ADMIN_USERNAME and BOOTSTRAP_ADMIN_PASSWORD, or neither")
        exposed = self.environment in {Environment.STAGING, Environment.PRODUCTION}
        password = self.bootstrap_admin_password
        if exposed and password and len(password.get_secret_value()) < SHORTEST_BOOTSTRAP_PASSWORD:
            raise ValueError(
                f"BOOTSTRAP_ADMIN_PASSWORD needs {SHORTEST_BOOTSTRAP_PASSWORD} characters or more in {self.environment}"
            )
        return self
