import resource
from pathlib import Path

import pytest

from sandbox.ledger import Ledger, Upload
from sandbox.oracle import AcceptanceLog, Accepted, LogInUseError, Oracle, read
from tests.unit.sandbox.calls import FakeClock


def accepted(name: str, number: str = "F-1") -> Accepted:
    return Accepted(
        "2026-02-02T02:40:00Z", f"u-{name}", name, "00", "0123456749", "SALE", "Invoice", "s", number, "", "", "", 1
    )


def upload(reference: str, number: str = "F-1") -> Upload:
    return Upload(reference, "00", "0123456749", "SALE", "Invoice", "s", number, "ä.xml", "c", "", 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "oracle.jsonl"


def test_what_is_appended_is_read_back_by_another_process_at_once(path: Path) -> None:
    log = AcceptanceLog(path)
    log.append(accepted("ä\u2028\n"))
    assert Oracle(path).accepted() == Oracle(path.parent).accepted() == [accepted("ä\u2028\n")]
    log.close()


def test_there_is_nothing_where_there_is_no_log(path: Path) -> None:
    assert Oracle(path).accepted() == []


def test_a_last_line_without_its_newline_is_ignored_and_never_grows_into_a_wrong_one(path: Path) -> None:
    log = AcceptanceLog(path)
    log.append(accepted("a"))
    log.close()
    with path.open("ab") as torn:
        torn.write(b'{"accepted_at": "20')
    assert Oracle(path).references() == {"a"}
    again = AcceptanceLog(path, durable=True)
    again.append(accepted("b"))
    again.close()
    assert [each.reference for each in read(path)] == ["a", "b"]


def test_a_log_that_is_one_torn_line_begins_anew(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"x" * 200_000)
    AcceptanceLog(path).close()
    assert path.read_bytes() == b""


def test_two_processes_cannot_write_one_log(path: Path) -> None:
    first = AcceptanceLog(path)
    with pytest.raises(LogInUseError, match="another process"):
        AcceptanceLog(path)
    first.close()
    AcceptanceLog(path).close()


def test_a_document_that_cannot_be_recorded_is_not_accepted(path: Path) -> None:
    ledger = Ledger(path)
    ledger.accept(upload("a"))
    ledger.close()  # stands for a full disk: the descriptor cannot be written any more
    with pytest.raises(OSError, match="Bad file descriptor"):
        ledger.accept(upload("b"))
    assert ledger.find("b") == []
    assert Oracle(path).references() == {"a"}


def test_a_line_that_fits_only_in_part_leaves_no_trace(path: Path) -> None:
    log = AcceptanceLog(path)
    log.append(accepted("a"))
    size = path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, hard))  # a disk that has ten bytes left
    try:
        with pytest.raises(OSError, match="only 10 of"):
            log.append(accepted("b"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    log.append(accepted("c"))
    log.close()
    assert [each.reference for each in read(path)] == ["a", "c"]


def test_duplicates_are_the_groups_with_the_same_identity(path: Path) -> None:
    log = AcceptanceLog(path)
    for name, number in (("a", "F-1"), ("b", "F-2"), ("c", "F-1")):
        log.append(accepted(name, number))
    log.close()
    assert [[each.reference for each in group] for group in Oracle(path).duplicates()] == [["a", "c"]]


def test_a_ledger_remembers_keys_lookups_and_counts_after_a_restart(path: Path) -> None:
    clock = FakeClock()
    ledger = Ledger(path, clock=clock)
    first = ledger.accept(upload("a"))
    ledger.accept(upload("b"))
    summary = ledger.summary()
    ledger.close()
    again = Ledger(path, clock=clock)
    assert again.replayable("a") == first
    assert again.find("a") == [first]
    assert again.summary() == summary == {"accepted": 2, "distinct_references": 2, "duplicates": 1}
    assert again.holds(upload("z"))
    assert not again.holds(upload("z", "F-9"))
    again.close()


def test_a_key_dies_at_its_age_and_lookups_still_find_the_document(path: Path) -> None:
    clock = FakeClock()
    ledger = Ledger(path, key_life=60, lookup_lag=5, clock=clock)
    known = ledger.accept(upload("a"))
    assert ledger.find("a") == []
    clock.at += 59.9
    assert ledger.replayable("a") == known
    clock.at += 0.2
    assert ledger.replayable("a") is None
    assert ledger.find("a") == [known]
    ledger.close()


def test_an_empty_reference_is_no_key(path: Path) -> None:
    ledger = Ledger(path)
    ledger.accept(upload(""))
    assert ledger.replayable("") is None
    assert ledger.summary()["distinct_references"] == 0
    assert path.stat().st_size > 0
    ledger.close()
