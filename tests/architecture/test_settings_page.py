"""docs/architecture/spine.md names every setting of every service: README promises it."""

import re

from common.settings import CommonSettings
from fetcher.settings import FetcherSettings
from gateway.settings import GatewaySettings
from notifier.settings import NotifierSettings
from orchestration.exporter.settings import ExporterSettings
from orchestration.settings import RunSettings, ScheduleSettings
from sender.settings import SenderSettings
from tests.architecture.source import ROOT
from validator.settings import ValidatorSettings

PAGE = ROOT / "docs/architecture/spine.md"
KINDS = (
    CommonSettings,
    ExporterSettings,
    FetcherSettings,
    GatewaySettings,
    NotifierSettings,
    RunSettings,
    ScheduleSettings,
    SenderSettings,
    ValidatorSettings,
)


def test_every_setting_is_on_the_page() -> None:
    named = set(re.findall(r"`([A-Z][A-Z_]+)`", PAGE.read_text(encoding="utf-8")))
    missing = sorted({name.upper() for kind in KINDS for name in kind.model_fields} - named)
    assert not missing, ", ".join(missing)
