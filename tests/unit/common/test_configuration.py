"""The registry of what may be changed live, and its page."""

import re
from typing import Any

import pytest

from common.configuration import KEYS, REGISTRY, Kind, read_stored, stored
from notifier.settings import NotifierSettings
from sender.settings import SenderSettings
from tests.architecture.source import ROOT

SETTINGS = {"sender": SenderSettings, "notifier": NotifierSettings}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("send_rate", 0.01), ("send_rate", 10_000), ("send_rate", 50), ("send_rate", "unlimited"),
        ("send_concurrency", 1), ("send_concurrency", 512),
        ("report_at", "00:00"), ("report_at", "23:59"),
        ("notify_language", "nl"), ("quiet_from", "22:00"), ("digest_day", 7),
        ("job_late_after", 60), ("ui_notice", ""), ("ui_notice", "x" * 500),
    ],
)  # fmt: skip
def test_a_value_of_its_kind_and_within_its_bounds_is_kept_as_it_is(key: str, value: Any) -> None:
    assert read_stored(REGISTRY[key], stored(value)) == value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("send_rate", 0), ("send_rate", -1), ("send_rate", 10_001), ("send_rate", "50"), ("send_rate", True),
        ("send_rate", float("nan")), ("send_rate", float("inf")), ("send_rate", None), ("send_rate", 10**400),
        ("send_concurrency", 0), ("send_concurrency", 513), ("send_concurrency", 1.5),
        ("send_concurrency", "unlimited"),
        ("report_at", "7:30"), ("report_at", "24:00"), ("report_at", "07:30\n"), ("report_at", 730),
        ("notify_language", "de"), ("notify_language", ""), ("digest_day", 0),
        ("ui_notice", "x" * 501), ("ui_notice", "a\x00b"), ("ui_notice", ["x"]),
    ],
)  # fmt: skip
def test_another_value_is_refused_without_being_repeated(key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"^give ") as refused:
        REGISTRY[key].check(value)
    assert "\x00" not in str(refused.value)


@pytest.mark.parametrize("text", ["fast", "", "{}", "[1]", "null"])
def test_what_somebody_wrote_by_hand_is_no_value(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_stored(REGISTRY["send_rate"], text)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_an_environment_variable_of_the_list_is_a_setting_of_its_service(key: Any) -> None:
    if key.environment is not None:
        assert key.environment.lower() in SETTINGS[key.service].model_fields


@pytest.mark.parametrize("key", [key for key in KEYS if key.live], ids=lambda key: key.name)
def test_a_default_is_a_value(key: Any) -> None:
    assert key.check(key.default) == key.default


def test_no_key_sounds_like_a_secret() -> None:
    assert not [key.name for key in KEYS if re.search("token|secret|password|url|key$", key.name)]


def test_every_key_is_on_its_page_with_its_bounds() -> None:
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows == [row(key) for key in KEYS], "\n".join(row(key) for key in KEYS)


def row(key: Any) -> str:
    """The line of docs/configuration.md."""
    if not key.live:
        return f"| `{key.name}` | {key.service} | `{key.environment}` | restart | {key.description} |"
    bounds = {
        Kind.TIME: "00:00 to 23:59",
        Kind.TEXT: ", ".join(f"`{word}`" for word in key.words) or f"at most {key.maximum or 0:g} characters",
    }.get(key.kind) or f"{key.minimum:g} to {key.maximum:g}{''.join(f' or `{word}`' for word in key.words)}"
    environment = f"`{key.environment}`" if key.environment else "-"
    default = f"`{key.default}`" if key.default != "" else "empty"
    return f"| `{key.name}` | {key.service} | {environment} | {default} | {key.kind} | {bounds} | {key.description} |"
