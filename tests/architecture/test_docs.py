"""What the documents point at exists, and a decision says when it ends."""

import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, SERVICES, shown, tracked

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
FILE = re.compile(r"`((?:ubl|orchestration|" + "|".join(SERVICES) + r")/[\w/]+\.py)`")
SECTIONS = ["Why a decision is needed", "What we do", "What it costs", "What we did not take", "Revisit when"]
DECISIONS = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))


def documents() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


@pytest.mark.parametrize("document", documents(), ids=shown)
def test_links_lead_somewhere(document: Path) -> None:
    links = [link for link in LINK.findall(document.read_text()) if not re.match(r"[a-z]+:", link)]
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", documents(), ids=shown)
def test_source_files_are_called_so(document: Path) -> None:
    names = FILE.findall(document.read_text())
    assert [name for name in names if not list(ROOT.glob(f"*/*/src/{name}")) + list(ROOT.glob(f"*/src/{name}"))] == []


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_why_what_it_costs_and_when_to_think_again(decision: Path) -> None:
    assert re.findall(r"^## (.+)$", decision.read_text(), re.MULTILINE) == SECTIONS


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
