"""Batches begun without an end: how often, and how they are taken then."""

import pytest

from common.kafka.notes import Care, Note, read, write


def lives(note: Note, until: int = 100) -> list[Care]:
    """How each next process that finds the note takes the batch, while none of them moves on."""
    cares: list[Care] = []
    for _ in range(7):
        note = read(write(note)).begun_again(until)
        cares.append(note.care)
    return cares


def test_a_batch_begun_twice_without_an_end_is_taken_in_halves_then_alone_and_parked_after_three_deaths_alone() -> None:
    whole, halves, alone, condemned = Care
    assert lives(Note()) == [whole, halves, alone, alone, alone, condemned, condemned]


def test_a_record_that_passes_alone_leaves_the_next_one_three_lives_of_its_own() -> None:
    note = Note(begun=6, until=100, alone=3).after(51)
    assert note is not None
    assert lives(note)[:3] == [Care.ALONE, Care.ALONE, Care.CONDEMNED]


def test_half_a_batch_that_passed_leaves_the_other_half_suspect() -> None:
    note = Note(begun=3, until=100).after(50)
    assert note is not None
    assert note.begun_again(150).care is Care.ALONE


def test_behind_the_batch_nothing_is_noted() -> None:
    assert Note(begun=6, until=100, alone=3).after(100) is None
    assert write(None) == ""


@pytest.mark.parametrize("metadata", ["", "x", "1:2", "1:2:3:4", "a:b:c"])
def test_whatever_else_stands_there_was_begun_once(metadata: str) -> None:
    assert read(metadata) == Note()
