"""A dry run is safe by what it cannot reach: this reads every statement that there is."""

import ast
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, shown, sources, strings, tree

TABLES = re.compile(r"\bdry_run(?:s|_items)\b")
SQL = re.compile(r"\b(?:SELECT|INSERT|UPDATE|DELETE|FROM|JOIN|WHERE)\b")
WRITES = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+([a-z_]+)")

OWN = {
    "services/fetcher/src/fetcher/adapters/postgres_dry_runs.py",
    "services/fetcher/src/fetcher/adapters/postgres_dry_run_pages.py",
    "services/fetcher/src/fetcher/adapters/postgres_dry_run_items.py",
    "services/fetcher/src/fetcher/adapters/postgres_dry_run_ends.py",
    "services/validator/src/validator/adapters/postgres_dry_runs.py",
    "services/gateway/src/gateway/adapters/postgres_dry_runs.py",
    "services/gateway/src/gateway/adapters/dry_run_orders.py",
}
"""The files whose statements name the tables of dry runs."""
TOLD = "services/notifier/src/notifier/adapters/previews.py"
"""Reads how a dry run of the schedule ended, to tell people of it."""
KEYS = "services/gateway/src/gateway/adapters/postgres_jobs.py"
"""Reads which order had an Idempotency-Key, whatever it was for."""
MIGRATION = re.compile(r"/migrations/versions/\d{4}_")


@cache
def statements() -> Sequence[tuple[str, str]]:
    """(file, text) of every string that is SQL, or a part of it."""
    return [
        (shown(path), text)
        for path in sources()
        if not MIGRATION.search(shown(path))
        for _, text in strings(path)
        if SQL.search(text)
    ]


def naming(found: Iterable[tuple[str, str]]) -> set[str]:
    return {path for path, text in found if TABLES.search(text)}


def written_by(path: str) -> set[str]:
    return {table for file, text in statements() if file == path for table in WRITES.findall(text)}


def announcers(path: Path) -> set[str]:
    """Names in a file that could tell somebody else of a row."""
    names = {node.id for node in ast.walk(tree(path)) if isinstance(node, ast.Name)}
    return names & {"Announcer", "MoveAnnouncer", "apply_moves", "Topic", "MoveAnnounce"}


def test_no_statement_of_anybody_else_names_the_rows_of_dry_runs() -> None:
    assert naming(statements()) == OWN | {KEYS, TOLD}


def test_nothing_that_sends_sweeps_moves_proves_recovers_replays_or_reports_knows_them() -> None:
    """The same from the other side: these would have to be changed before an item could be sent."""
    forbidden = re.compile(
        r"^services/(?:sender|notifier)/|/common/db/|/common/amnesia|/recovery|replay|/postgres_closing"
    )
    assert [path for path in naming(statements()) - {TOLD} if forbidden.search(path)] == []


def test_what_tells_people_of_a_dry_run_writes_messages_alone() -> None:
    assert written_by(TOLD) == {"notifications"}


@pytest.mark.parametrize("path", sorted(OWN))
def test_a_dry_run_writes_its_own_tables_and_no_others(path: str) -> None:
    assert written_by(path) <= {"dry_runs", "dry_run_items"}


@pytest.mark.parametrize("path", sorted(OWN))
def test_a_dry_run_takes_no_key_and_tells_nobody(path: str) -> None:
    assert announcers(ROOT / path) == set()
    assert not [text for file, text in statements() if file == path and "invoice_keys" in text]


def test_what_reads_the_key_of_an_order_writes_nothing_of_a_dry_run() -> None:
    texts = [text for file, text in statements() if file == KEYS and TABLES.search(text)]
    assert texts
    assert not [text for text in texts if WRITES.search(text)]


def test_control_a_sender_that_named_them_would_be_found() -> None:
    wrong = ("services/sender/src/sender/adapters/x.py", "SELECT id FROM dry_run_items WHERE outcome = 'would_go'")
    assert naming([wrong]) == {wrong[0]}
    assert written_by(KEYS) >= {"jobs", "idempotency_keys"}
    assert announcers(ROOT / "services/fetcher/src/fetcher/app.py") == {"Announcer", "MoveAnnouncer", "Topic"}
