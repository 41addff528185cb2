"""The card in a service's `__init__.py` says what its code does."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.contracts.topics import Group, Topic
from common.invoice.stage import OUTCOMES, Stage
from tests.architecture.source import ROOT, SERVICES, strings, tree

TOPIC = re.compile(r"\b[a-z]+\.[a-z]+\.v\d+\b")
WORD = re.compile(r"[a-z_]+")
WRITES = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+([a-z_]+)")
STAGES = frozenset(Stage)

EVERYBODYS = {"invoices", "invoice_events"}
"""Moved by all, through the one door: `common.db.moves`; a card names the stages it works instead."""
GUESTS = {
    ("gateway", "jobs"), ("gateway", "invoice_keys"), ("gateway", "attempts"), ("gateway", "dry_runs"),
    ("validator", "dry_run_items"),
}  # fmt: skip
"""The gateway inserts a job's row and never touches it again (docs/architecture/spine.md); a failed row that is let go
again takes its key again; a recovery gives back attempts and keys that the database has forgotten. Dry runs likewise,
and the validator writes its verdicts into their items."""
CLAIMED = {"sender": {Stage.VALIDATED}}
"""Worked without a sweep: the pump claims them."""


def files(service: str) -> list[Path]:
    return sorted((ROOT / "services" / service / "src" / service).rglob("*.py"))


def card(service: str) -> dict[str, str]:
    docstring = ast.get_docstring(tree(ROOT / "services" / service / "src" / service / "__init__.py")) or ""
    found: dict[str, str] = {}
    for line in docstring.splitlines()[2:]:
        head, sep, rest = line.partition(": ")
        if sep:
            found[head] = rest
        elif found:  # the line before goes on
            found[list(found)[-1]] += f" {line}"
    return found


def topics(line: str) -> set[Topic]:
    return {Topic(name) for name in TOPIC.findall(line)}


def calls(service: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the name that it calls."""
    for path in files(service):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func).rsplit(".", 1)[-1], node


def members(node: ast.AST, kind: str) -> list[str]:
    """`X` for each `Kind.X` in a piece of code."""
    return [
        found.attr
        for found in ast.walk(node)
        if isinstance(found, ast.Attribute) and isinstance(found.value, ast.Name) and found.value.id == kind
    ]


def consumed(service: str) -> set[Topic]:
    named = [members(call.args[0], "Topic") for called, call in calls(service) if called == "on" and call.args]
    return {Topic[name] for names in named for name in names}


def emitted(service: str) -> set[Topic]:
    """Topics that are named for announcing, and those of the stages to which rows are moved."""
    named = {Topic[name] for path in files(service) for name in members(tree(path), "Topic")}
    moves = any(called == "MoveAnnouncer" for called, _ in calls(service))
    return named - consumed(service) | {topic_of(stage) for stage in targets(service) if moves}


def topic_of(stage: Stage) -> Topic:
    """As `common.outcomes` announces."""
    if stage in OUTCOMES:
        return Topic.INVOICES_OUTCOMES
    return {Stage.FETCHED: Topic.INVOICES_FETCHED, Stage.VALIDATED: Topic.INVOICES_VALIDATED}[stage]


def targets(service: str) -> set[Stage]:
    """The last stage among the arguments of `Move`, `Settlement`, `Plan`, `NewRow`, `give_up`: where a row goes."""
    given = (
        [arg for arg in call.args if isinstance(arg, ast.Attribute) and members(arg, "Stage")]
        for called, call in calls(service)
        if called != "Sweep"
    )
    stages = {Stage[stages[-1].attr] for stages in given if stages}
    return {stage for stage in stages if stage in OUTCOMES or stage in {Stage.FETCHED, Stage.VALIDATED}}


def swept(service: str) -> set[Stage]:
    return {Stage[members(call.args[0], "Stage")[0]] for called, call in calls(service) if called == "Sweep"}


def written(service: str) -> set[str]:
    """Tables that the service's own SQL changes."""
    found = {table for path in files(service) for _, text in strings(path) for table in WRITES.findall(text)}
    return found - EVERYBODYS


@pytest.mark.parametrize("service", SERVICES)
def test_a_card_has_its_three_lines(service: str) -> None:
    assert list(card(service)) == ["Consumes", "Emits", "Owns"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_card_names_the_topics_that_the_service_consumes(service: str) -> None:
    assert topics(card(service)["Consumes"]) == consumed(service)


@pytest.mark.parametrize("service", SERVICES)
def test_a_card_names_the_topics_that_the_service_emits(service: str) -> None:
    assert topics(card(service)["Emits"]) == emitted(service)


@pytest.mark.parametrize("service", SERVICES)
def test_a_card_owns_the_tables_that_the_service_writes(service: str) -> None:
    owned = card(service)["Owns"].partition("rows in")[0].partition(";")[0]
    assert set(WORD.findall(owned)) == {table for table in written(service) if (service, table) not in GUESTS}


@pytest.mark.parametrize("service", SERVICES)
def test_a_card_owns_the_stages_that_the_service_works(service: str) -> None:
    words = set(WORD.findall(card(service)["Owns"].partition("rows in")[2]))
    assert {stage for stage in STAGES if stage.value in words} == swept(service) | CLAIMED.get(service, set())


def test_no_table_has_two_owners() -> None:
    owners = [(table, service) for service in SERVICES for table in written(service) if (service, table) not in GUESTS]
    assert len({table for table, _ in owners}) == len(owners), sorted(owners)


def test_every_stage_has_somebody_who_works_it() -> None:
    assert set[Stage]().union(*(swept(service) | CLAIMED.get(service, set()) for service in SERVICES)) == STAGES


def test_a_consumer_group_is_called_like_its_service() -> None:
    assert {group.value for group in Group} == {service for service in SERVICES if consumed(service)}
