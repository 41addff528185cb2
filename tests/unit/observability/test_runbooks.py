"""Every alert has its page, every page its alert; a page starts with one command, and its commands can be typed."""

import re
from pathlib import Path

import pytest

from local.run_command import MODULES, VERBS
from tests.architecture.source import ROOT
from tests.unit.cli.test_documented import parse, typed
from tests.unit.observability.files import alerts

PAGES = sorted((ROOT / "docs/runbooks").glob("*.md"))
FIRST = re.compile(r"\A# (\w+)\n\n```sh\n([^\n]+)\n```\n\n\*\*It means:\*\* ")
KUBECTL = re.compile(r"kubectl( -n [\w-]+)? (get|describe|logs|top|rollout|delete|exec) \S")


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    assert {page.stem for page in PAGES} == {alert["alert"] for alert in alerts()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_starts_with_one_command_and_says_when_it_is_over(page: Path) -> None:
    text = page.read_text()
    found = FIRST.match(text)
    assert found
    assert found[1] == page.stem
    assert "\n**It ends** " in text
    command = found[2]
    run = re.match(r"\./run ([a-z]+)", command)
    assert command.startswith("clearfacts ") or KUBECTL.match(command) or (run and run[1] in {*VERBS, *MODULES})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_commands_can_be_typed(page: Path) -> None:
    for line in typed(str(page.relative_to(ROOT))):
        parse(line)
    for line in re.findall(r"kubectl [^`\n]+", page.read_text()):
        assert KUBECTL.match(line)


def test_the_page_on_observability_lists_every_alert_with_how_bad_and_whose() -> None:
    page = (ROOT / "docs/observability.md").read_text()
    listed = re.findall(r"^\| \[(\w+)\]\(runbooks/\1\.md\) \| ([\w, ]+) \| (\w+) \|", page, re.MULTILINE)
    for name, severities, owner in listed:
        of_it = [alert["labels"] for alert in alerts() if alert["alert"] == name]
        assert {one["severity"] for one in of_it} == set(severities.split(", ")), name
        assert {one["owner"] for one in of_it} == {owner}, name
    assert {name for name, _, _ in listed} == {alert["alert"] for alert in alerts()}
