"""Cursors are opaque, signed and bound to their filters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.cursors import Cursors
from gateway.domain.faults import CursorInvalid

CURSORS = Cursors(b"k" * 32)
positions = st.lists(st.text(max_size=60), min_size=1, max_size=3)
filters = st.dictionaries(st.text(max_size=10), st.none() | st.text(max_size=20), max_size=4)


@given(positions, filters)
def test_what_was_sealed_is_opened(position: list[str], bound_to: dict[str, str | None]) -> None:
    assert CURSORS.open(CURSORS.seal(position, bound_to=bound_to), bound_to=bound_to) == position


@given(positions, st.data())
def test_a_changed_character_is_noticed(position: list[str], data: st.DataObject) -> None:
    cursor = CURSORS.seal(position, bound_to={})
    where = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_").filter(lambda char: char != cursor[where]))
    with pytest.raises(CursorInvalid):
        CURSORS.open(cursor[:where] + other + cursor[where + 1 :], bound_to={})


@given(positions, filters, filters)
def test_other_filters_do_not_open_it(
    position: list[str], one: dict[str, str | None], two: dict[str, str | None]
) -> None:
    cursor = CURSORS.seal(position, bound_to=one)
    if one != two:
        with pytest.raises(CursorInvalid):
            CURSORS.open(cursor, bound_to=two)


@given(st.text(max_size=200))
def test_anything_else_is_no_cursor(text: str) -> None:
    with pytest.raises(CursorInvalid):
        CURSORS.open(text, bound_to={})


def test_another_key_opens_nothing() -> None:
    with pytest.raises(CursorInvalid):
        Cursors(b"x" * 32).open(CURSORS.seal(["1"], bound_to={}), bound_to={})


def test_another_spelling_of_the_same_bytes_is_no_cursor() -> None:
    cursor = CURSORS.seal(["12"], bound_to={})
    assert len(cursor) % 4, "the last character has spare bits"
    spare = chr(ord(cursor[-1]) + 1)
    for spelling in (cursor + "!", cursor[:5] + "\n" + cursor[5:], cursor[:-1] + spare, cursor + "="):
        with pytest.raises(CursorInvalid):
            CURSORS.open(spelling, bound_to={})
