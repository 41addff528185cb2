"""Which settings each service gets on one machine. What the caller's own environment names wins over all of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.probes import HOST

ADMIN = "admin"

Settings = dict[str, str]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts of this machine answer, and the files with their secrets."""

    gateway: str
    source: str
    destination: str
    slack: str
    mail_port: int
    jwt_keys: Path
    admin_password: Path
    sandbox_token: Path
    webhook_key: Path


def settings_of(
    service: str,
    places: Places,
    given: Mapping[str, str],
    *,
    administrations: Sequence[str],
    default_administration: str,
) -> Settings:
    """The settings of `service` that `given` does not have; a foreign source or destination brings its own token."""
    match service:
        case "gateway":
            settings = {
                "JWT_KEYS_DIR": str(places.jwt_keys),
                "BOOTSTRAP_ADMIN_USERNAME": ADMIN,
                "BOOTSTRAP_ADMIN_PASSWORD_FILE": str(places.admin_password),
                "PUBLIC_URL": places.gateway,
                **_webhooks(places, given),
            }
        case "fetcher":
            settings = _source(places, administrations, default_administration) if "SOURCE_URL" not in given else {}
        case "sender":
            ours = {"DESTINATION_URL": places.destination, "DESTINATION_TOKEN_FILE": str(places.sandbox_token)}
            settings = ours if "DESTINATION_URL" not in given else {}
        case "notifier":
            settings = {
                "SLACK_WEBHOOK_URL": f"{places.slack}/services/sandbox",
                "PUBLIC_URL": places.gateway,
                **(_mail(places) if "SMTP_HOST" not in given else {}),
                **_webhooks(places, given),
            }
        case _:
            settings = {}
    return {name: value for name, value in settings.items() if name not in given}


def _mail(places: Places) -> Settings:
    """The sandbox's receiver, which delivers nothing."""
    return {
        "SMTP_HOST": HOST,
        "SMTP_PORT": str(places.mail_port),
        "SMTP_SECURITY": "none",
        "EMAIL_FROM": "clearfacts@example.test",
        "EMAIL_RECIPIENTS": json.dumps({"operations": {"address": "operations@example.test"}}),
    }


def _webhooks(places: Places, given: Mapping[str, str]) -> Settings:
    """Endpoints on this machine may be registered, too."""
    key = {"WEBHOOK_SIGNING_KEY_FILE": str(places.webhook_key)} if "WEBHOOK_SIGNING_KEY" not in given else {}
    return {**key, "WEBHOOK_NETWORKS": json.dumps(["127.0.0.0/8", "::1/128"])}


def _source(places: Places, administrations: Sequence[str], default_administration: str) -> Settings:
    return {
        "SOURCE_URL": places.source,
        "SOURCE_TOKEN_FILE": str(places.sandbox_token),
        "ADMINISTRATIONS": json.dumps(list(administrations)),
        "DEFAULT_ADMINISTRATION": default_administration,
    }
