"""Reading the meters."""

import os

import pytest

from benchmarks.meter import Reading, spent
from benchmarks.procfs import (
    TICKS,
    Memory,
    Process,
    cpu_of,
    memory_of,
    parse_busy,
    parse_memory,
    parse_stat,
    processes_now,
    tree,
)

FAMILY = {
    1: Process(1, 0, 1.0),
    2: Process(2, 1, 2.0),
    3: Process(3, 2, 4.0),
    9: Process(9, 1, 8.0),
}


def test_a_name_with_brackets_and_blanks_does_not_shift_the_fields() -> None:
    line = "42 (a) b (c)) S 7 42 42 0 -1 4194560 100 0 0 0 300 100 50 25 20 0 1 0 12345 1000 10\n"

    assert parse_stat(line) == Process(42, 7, 475 / TICKS)


def test_a_tree_is_a_process_and_all_below_it() -> None:
    assert tree(2, FAMILY) == {2, 3}
    assert cpu_of(2, FAMILY) == pytest.approx(6.0)


def test_a_process_that_has_ended_costs_nothing() -> None:
    assert cpu_of(77, FAMILY) == 0


def test_idle_and_waiting_are_not_busy_and_guests_are_not_counted_twice() -> None:
    assert parse_busy("cpu  100 20 30 9999 8888 4 5 6 50 50\ncpu0 1 1 1 1\n") == pytest.approx(165 / TICKS)


def test_memory_is_read_from_the_rollup() -> None:
    text = "563d-7fff ---p 00000000 00:00 0   [rollup]\nRss:    1672 kB\nPss:     189 kB\nPss_Dirty: 112 kB\n"

    assert parse_memory(text) == Memory(1672 * 1024, 189 * 1024)


def test_this_process_is_found_with_its_memory() -> None:
    assert os.getpid() in tree(os.getppid(), processes_now())
    assert memory_of([os.getpid()]).rss > 1_000_000


def test_others_are_what_the_machine_was_busy_with_beyond_us() -> None:
    before = Reading(at=100.0, cpu={"sender": 5.0}, ours=50.0, busy=1000.0)
    after = Reading(at=110.0, cpu={"sender": 8.0}, ours=60.0, busy=1014.0)

    found = spent(before, after, cores=2)

    assert found.cpu == {"sender": 3.0}
    assert found.others == pytest.approx(0.2)  # 4 of 20 core seconds


def test_rounding_of_ticks_does_not_make_others_negative() -> None:
    before = Reading(at=0.0, cpu={}, ours=0.0, busy=0.0)
    after = Reading(at=1.0, cpu={}, ours=1.01, busy=1.0)

    assert spent(before, after, cores=2).others == 0
