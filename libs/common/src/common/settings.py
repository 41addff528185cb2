"""Settings that every service shares, and the one way to read any: typed, frozen, secrets from files where named."""

import ipaddress
import os
import re
import sys
from datetime import timedelta
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, TypeVar, get_origin
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AnyHttpUrl, BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from common.contracts.webhooks import SHORTEST_KEY, IPNetwork
from common.errors import ConfigurationError


class Environment(StrEnum):
    LOCAL = "local"
    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


def _number_of_seconds(value: Any) -> Any:
    """Let `90` and `0.5` be seconds; ISO 8601 (`PT90S`) and `00:01:30` stay as they are."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


Seconds = Annotated[timedelta, BeforeValidator(_number_of_seconds)]
"""A duration setting: plain numbers are seconds."""


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"{value!r} is no time zone; give a name like Europe/Brussels or Etc/GMT-1") from None
    return value


TimeZone = Annotated[str, AfterValidator(_zone)]
"""A setting that names a time zone of the IANA database."""


SigningKey = Annotated[SecretStr, Field(min_length=SHORTEST_KEY)]
"""The secret that other secrets are made from; it must be the same everywhere and stay."""


def _network(value: Any) -> Any:
    try:
        return ipaddress.ip_network(value)
    except ValueError:
        raise ValueError("give networks like 10.0.0.0/8 or fd00::/8") from None


Networks = tuple[Annotated[IPNetwork, BeforeValidator(_network)], ...]
"""A JSON list of networks."""


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


LogLevel = Annotated[Literal["debug", "info", "warning", "error", "critical"], BeforeValidator(_lower)]


class Settings(BaseSettings):
    """Base of every settings class: read from the environment, frozen."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)


class CommonSettings(Settings):
    environment: Environment = Environment.LOCAL
    database_url: SecretStr
    kafka_bootstrap_servers: str
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=0, ge=0, le=65535)
    log_level: LogLevel = "info"
    log_format: Literal["json", "console"] = "json"
    startup_timeout: float = Field(default=30.0, gt=0, description="seconds to wait for broker and database")
    database_connections: int = Field(default=4, ge=1, le=100)
    standstill_timeout: float = Field(default=12.0, gt=0, description="seconds of no movement before the process ends")
    otel_exporter_otlp_endpoint: AnyHttpUrl | None = None
    otel_traces_sampler_arg: float = Field(default=0.1, ge=0, le=1, description="the part of reads and invoices traced")
    stop_timeout: float = Field(default=25.0, gt=0, description="seconds to stop in order; the rest is left to leases")


SettingsT = TypeVar("SettingsT", bound=Settings)


def load_settings(kind: type[SettingsT]) -> SettingsT:
    """Read `kind` from the environment; `NAME_FILE` names a file that holds NAME.

    Raises ConfigurationError with one line for each setting that is missing or wrong.
    """
    from_files: dict[str, str] = {}
    for name in kind.model_fields:
        path = os.environ.get(f"{name.upper()}_FILE")  # noqa: TID251 - this is the settings room
        if path:
            from_files[name] = _read_secret(name, path)
    try:
        return kind(**from_files)  # pyright: ignore[reportArgumentType] - values are text, pydantic converts them
    except ValidationError as error:
        lines = [_explain(entry["loc"], entry["type"], entry["msg"]) for entry in error.errors()]
        raise ConfigurationError("; ".join(lines)) from None
    except SettingsError as error:  # a list or a mapping that is not JSON; the field's name is only in the text
        name = next((name for name in kind.model_fields if f'"{name}"' in str(error)), "settings")
        raise ConfigurationError(f"{name.upper()}: JSON is needed") from None


_PLAIN = re.compile(r".*_(bootstrap_servers|cron|field|host|profile|timezone)")
"""Settings whose text may be shown: it names no person, no company and no secret."""


def redacted(settings: Settings) -> dict[str, str]:
    """What may be logged and handed to others: numbers and choices as they are, of addresses the host alone."""
    shown = {name: _shown(name, getattr(settings, name), kind) for name, kind in type(settings).model_fields.items()}
    return {name.upper(): value for name, value in shown.items()}


def _shown(name: str, value: Any, kind: FieldInfo) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool | int | float | timedelta | Enum) or get_origin(kind.annotation) is Literal:
        return str(value)
    if isinstance(value, list | tuple | set | frozenset | dict):
        return f"{len(value)} entries"
    text = str(value) if not isinstance(value, SecretStr) else ""
    if "://" in text and (host := urlsplit(text).hostname):
        return f"{urlsplit(text).scheme}://{host}"
    return text if text and _PLAIN.fullmatch(name) else "set"


def exit_with(error: ConfigurationError) -> NoReturn:
    """End the process with the error's one line on standard error and code 2."""
    sys.stderr.write(f"cannot start: {error}\n")
    raise SystemExit(2)


def _read_secret(name: str, path: str) -> str:
    try:
        secret = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(
            f"{name.upper()}_FILE: cannot read {path} ({error.strerror}); give a readable file",
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{name.upper()}_FILE: cannot read {path} (not UTF-8); give a text file") from None
    if not secret:
        raise ConfigurationError(f"{name.upper()}_FILE: {path} is empty; write the value into it")
    return secret


def _explain(location: tuple[int | str, ...], kind: str, message: str) -> str:
    message = message.removeprefix("Value error, ")
    if not location:  # a rule over several settings names them itself
        return message
    name = ".".join(str(part) for part in location).upper()
    if kind == "missing":
        return f"{name} is not set; set the environment variable {name} or {name}_FILE"
    return f"{name}: {message}"
