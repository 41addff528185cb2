"""What the figures of the reads say, and when a goal counts as missed."""

from dataclasses import replace

import pytest

from benchmarks.reads.figures import figures, misses, percentile
from benchmarks.reads.load import Turn, Turns
from benchmarks.reads.measuring import Found, Plan
from benchmarks.reads.questions import Group, Question
from benchmarks.reads.watching import Watched
from benchmarks.run import main

FAST = [1.0] * 99 + [40.0]


def found(**changed: object) -> Found:
    asked = [Question(group.value, group, 1, ["/"]) for group in Group]
    usual = Found(Plan(rows=1, seconds=1.0, seed=1, slices=1), filled=1.0, asked=asked)
    usual.idle = {question.name: FAST for question in asked}
    usual.busy = usual.idle
    usual.turns = {"job": turns(85)}
    usual.watched = Watched(200, 10.0, statements=3.0, without=2.0, events=200)
    return replace(usual, **changed)


def turns(answered: int) -> Turns:
    return Turns(gateway=Turn(answered=answered, seconds=1.0, cpu=0.1), bare=Turn(answered=100, seconds=1.0, cpu=0.1))


@pytest.mark.parametrize(("share", "value"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0)])
def test_a_percentile_is_one_of_the_values(share: float, value: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == value


def test_a_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 0.5) == 7.0


def test_goals_that_are_reached_are_no_misses() -> None:
    assert misses(found()) == []


SLOW = {"job": [1.0] * 90 + [60.0] * 10, "invoice": FAST, "list": FAST, "search": [200.0]}


@pytest.mark.parametrize(
    ("changed", "missed"),
    [
        ({"idle": SLOW}, "job, idle: 99th percentile 60.0 ms, goal 50"),
        ({"busy": {**SLOW, "list": [151.0]}}, "list, beside a job: 99th percentile 151.0 ms, goal 150"),
        ({"turns": {"job": turns(79)}}, "job: 79% of bare FastAPI, goal 80%"),
        ({"refused": {"job: 503": 2}}, "2 answers were not 200: job: 503"),
        ({"watched": Watched(200, 10.0, 9.0, 2.0, 200)}, "200 browsers cost 7.00 statements a second"),
    ],
)
def test_a_goal_that_is_missed_is_a_line(changed: dict[str, object], missed: str) -> None:
    assert misses(found(**changed)) == [missed]


def test_the_figures_say_how_they_came_about() -> None:
    told = figures(found(others=0.3))
    assert (told["of_bare"], told["statements_per_second"], told["quiet"]) == ({"job": 0.85}, 1.0, False)
    assert told["idle_by_group_ms"]["job"] == {"p50": 1.0, "p95": 1.0, "p99": 1.0, "most": 40.0, "count": 100}


def test_run_knows_the_reads(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["reads", "--help"])
    assert ended.value.code == 0
    assert "--slices" in capsys.readouterr().out
