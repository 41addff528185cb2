"""What was once on a topic can be read for ever, and what is written now looks like the newest golden message."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from common.contracts.describe import EVENTS
from common.contracts.events import Event, InvoiceOutcome, JobEventKind
from common.contracts.topics import Topic
from tests.contract.events.writing import CASES, GOLDEN, HASHES, SHAPES, name, rendered, written

FILES = sorted(GOLDEN.glob("*.json"))
HELP = "an event changed: raise its number in SHAPES, then run: python -m tests.contract.events.writing"
ROOT = Path(__file__).parents[3]


def hashes() -> dict[str, str]:
    lines = [line.split("  ") for line in HASHES.read_text(encoding="utf-8").splitlines()]
    assert len({name for _, name in lines}) == len(lines), "a file is listed twice"
    return {name: sha256 for sha256, name in lines}


def golden(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def read(record: dict[str, Any]) -> Event:
    return EVENTS[Topic(record["topic"])].model_validate_json(json.dumps(record["value"]))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_todays_code_reads_what_was_ever_written(path: Path) -> None:
    record = golden(path)
    event = read(record)
    kept = json.loads(event.model_dump_json())
    assert {field: kept.get(field) for field in record["value"]} == record["value"], (
        "a field was lost or reads otherwise"
    )
    assert event.key.decode() == record["key"]


@pytest.mark.parametrize("case", CASES)
async def test_todays_code_writes_the_newest_golden_message(case: str) -> None:
    assert rendered(await written(*CASES[case])) == (GOLDEN / name(case)).read_text(encoding="utf-8"), HELP


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_message_is_never_changed(path: Path) -> None:
    assert hashes().get(path.name) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_golden_message_is_never_taken_away() -> None:
    assert sorted(hashes()) == [path.name for path in FILES]


def test_the_history_only_ever_added_golden_messages() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("no history here")
    command = ["git", "log", "--diff-filter=MDRT", "--format=%h", "--", str(GOLDEN.relative_to(ROOT))]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout == ""


def test_every_event_and_every_outcome_has_a_golden_message_of_its_newest_shape() -> None:
    assert set(SHAPES) == {event.__name__ for event in EVENTS.values()}
    newest = [read(golden(GOLDEN / name(case))) for case in CASES]
    assert {type(event) for event in newest} == set(EVENTS.values())
    stages = InvoiceOutcome.model_json_schema()["properties"]["stage"]["enum"]
    assert {event.stage for event in newest if isinstance(event, InvoiceOutcome)} == set(stages)
    kinds = {json.loads(event.model_dump_json()).get("kind") for event in newest}
    assert kinds == {None, *JobEventKind}


@pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: event.__name__)
def test_every_field_is_in_a_golden_message_with_a_value(event: type[Event]) -> None:
    shown = [golden(path)["value"] for path in FILES if path.name.startswith(f"{event.__name__}.")]
    assert {field for value in shown for field, given in value.items() if given is not None} == set(event.model_fields)
