"""The command line of `./run bench`."""

import pytest

from benchmarks.run import main
from benchmarks.telemetry import Pair, figures
from local.run_command import main as run_command


def test_run_finds_the_benchmarks(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command(["bench", "end-to-end", "--help"])

    assert ended.value.code == 0
    assert "--in-flight" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [["--count", "0"], ["--in-flight", "16,x"], ["--count", "many"]])
def test_a_number_that_is_none_is_one_clear_line(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["end-to-end", *wrong])

    assert ended.value.code == 2
    assert "a number of at least 1 is needed" in capsys.readouterr().err


def test_the_kind_of_measurement_has_to_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])

    assert "end-to-end" in capsys.readouterr().err


def test_what_telemetry_adds_is_the_median_of_the_pairs_with_their_quartiles() -> None:
    pairs = [Pair(1.0 + more, 1.0, others=0.02) for more in (0.02, 0.04, 0.01, 0.03, 0.05)]
    found = figures(pairs)
    assert found["more"] == {"median": 0.03, "spread": [0.02, 0.04], "all": [0.01, 0.02, 0.03, 0.04, 0.05]}
    assert (found["quiet"], found["cpu_seconds_per_1000_without"]) == (True, 1.0)
    assert figures([Pair(1.0, 1.0, others=0.5)])["quiet"] is False
