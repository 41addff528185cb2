"""No code sets anything for a database session: the pool gives connections back as they are."""

import re

from tests.architecture.source import shown, sources, strings

SESSION = re.compile(r"^\s*(SET (?!LOCAL)\w+|LISTEN |UNLISTEN |PREPARE |DECLARE )|pg_advisory_lock\(", re.MULTILINE)


def of_a_session(text: str) -> bool:
    return SESSION.search(text) is not None


def test_what_lasts_as_long_as_a_session_is_recognised() -> None:
    assert all(map(of_a_session, ("SET lock_timeout = 0", "LISTEN jobs", "SELECT pg_advisory_lock(1)")))
    assert not any(map(of_a_session, ("UPDATE x SET a = 1", "SET LOCAL a = 1", "SELECT pg_advisory_xact_lock(1)")))


def test_nothing_is_left_behind_in_a_session() -> None:
    found = [f"{shown(path)}:{line}" for path in sources() for line, text in strings(path) if of_a_session(text)]
    assert not found, "\n".join(found)
