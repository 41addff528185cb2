"""What the registry says of a key is what its service does: the same default, by a variable of the same name."""

from datetime import time, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from common.configuration import KEYS, UNLIMITED, Key, Value
from gateway.settings import GatewaySettings
from notifier.settings import NotifierSettings
from sender.settings import SenderSettings

SETTINGS: dict[str, type[BaseModel]] = {
    "gateway": GatewaySettings,
    "notifier": NotifierSettings,
    "sender": SenderSettings,
}


def as_value(default: Any) -> Value:
    """A setting's default in the registry's words."""
    match default:
        case None:
            return UNLIMITED
        case timedelta():
            return default.total_seconds()
        case time():
            return f"{default:%H:%M}"
        case _:
            return default


@pytest.mark.parametrize("key", [key for key in KEYS if key.environment], ids=lambda key: key.name)
def test_a_key_has_the_default_of_its_service(key: Key) -> None:
    assert key.environment == key.name.upper()
    assert as_value(SETTINGS[key.service].model_fields[key.name].default) == key.default
