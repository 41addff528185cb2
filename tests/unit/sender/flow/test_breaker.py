"""When the destination is left alone, and for how long."""

from datetime import timedelta

import pytest

from sender.domain import Accepted, Delivery, NotAccepted, OutcomeUnknown, Refused
from sender.domain.flow import Signal, Standing, Window, begin_probe, close_after, reopen, signal, trip
from sender.domain.flow.breaker import LONGEST_PAUSE, PROBE_DEADLINE, PROBE_LEASE, RELAPSE, pause_before_probe

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("delivery", "says"),
    [
        (Accepted("u", {}), Signal.WELL),
        (Refused("X", "y", {}), Signal.WELL),
        (NotAccepted("not for this administration"), Signal.WELL),
        (OutcomeUnknown("exists already"), Signal.WELL),
        (NotAccepted("429", SECOND, everyone=True, throttled=True), Signal.THROTTLED),
        (NotAccepted("401", everyone=True), Signal.FAILING),
        (NotAccepted("503", SECOND, everyone=True), Signal.FAILING),
        (NotAccepted("could not connect", everyone=True), Signal.FAILING),
        (OutcomeUnknown("no answer within 30 s", everyone=True), Signal.FAILING),
    ],
)
def test_what_an_answer_says_of_the_destination(delivery: Delivery, says: Signal) -> None:
    assert signal(delivery) is says


def tripped_at(window: Window, calls: str) -> int | None:
    """The place of the call, from 1, that trips: `x` fails, `.` goes well."""
    for place, call in enumerate(calls, 1):
        if window.add(failed=call == "x"):
            return place
    return None


@pytest.mark.parametrize(
    ("calls", "place"),
    [
        ("xxxxx", 5),
        ("xxxx.xxxx.xxx", None),
        ("....xxxxx", 9),
        ("x." * 9 + "x", None),
        ("x." * 10, None),  # half of twenty, but the twentieth goes well
        (".x" * 10, 20),
        ("." * 20 + ".x" * 9, None),
        ("." * 20 + ".x" * 10, 40),
        ("." * 100, None),
    ],
)
def test_it_trips_at_half_of_twenty_or_at_five_in_a_row(calls: str, place: int | None) -> None:
    assert tripped_at(Window(), calls) == place


def test_after_a_probe_one_failure_is_enough_until_something_went_well() -> None:
    window = Window()
    window.reset(on_trial=True)
    assert window.add(failed=True)
    window.reset(on_trial=True)
    assert not window.add(failed=False)
    assert tripped_at(window, "xxxxx") == 5


def test_the_pauses_double_from_a_second_to_thirty() -> None:
    pauses = [pause_before_probe(level).total_seconds() for level in range(8)]
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert pause_before_probe(10**6) == LONGEST_PAUSE


def test_a_breaker_that_trips_first_probes_after_a_second() -> None:
    change = trip(Standing(version=3, level=4, closed_for=RELAPSE), "down")
    assert (change.open, change.level, change.until_probe, change.why) == (True, 0, SECOND, "down")


def test_a_relapse_goes_on_with_the_longer_pauses() -> None:
    change = trip(Standing(version=3, level=2, closed_for=SECOND), "down again")
    assert (change.level, change.until_probe) == (3, 8 * SECOND)


def test_a_probe_that_is_taken_is_left_to_its_taker_for_longer_than_it_can_last() -> None:
    change = begin_probe(Standing(version=3, open=True, level=2))
    assert (change.open, change.level, change.until_probe) == (True, 2, PROBE_LEASE)
    assert PROBE_LEASE > PROBE_DEADLINE + SECOND


def test_a_failed_probe_makes_the_pause_longer_and_a_good_one_closes() -> None:
    seen = Standing(version=3, open=True, level=2)
    assert (reopen(seen, "still down").level, reopen(seen, "still down").until_probe) == (3, 8 * SECOND)
    assert (close_after(seen).open, close_after(seen).level) == (False, 2)
