"""What the measurements say."""

import json

import pytest

from benchmarks.figures import MOST_OTHERS, exit_code, figures, is_quiet, memory_ratios
from benchmarks.procfs import Memory
from tests.unit.benchmarks.runs import MB, PRODUCT, SERVICES, run


def test_the_ratio_to_the_limit_is_to_the_mean_of_before_and_after() -> None:
    assert run(per_second=800.0, limits=(1100.0, 900.0)).ratio_to_limit == pytest.approx(0.8)


def test_the_price_of_an_invoice_is_that_of_the_product_and_not_of_the_sandbox() -> None:
    found = figures([run()], services=SERVICES, product=PRODUCT)

    assert found["cpu_ms_per_invoice"] == pytest.approx(1.0)
    assert found["cpu_ms_by_part"]["64"]["bench-source"] == pytest.approx(0.05)


def test_single_numbers_are_those_of_the_most_calls_in_flight() -> None:
    few = run(in_flight=16, per_second=300.0, limits=(300.0, 300.0), cpu={"fetcher": 100.0})

    found = figures([run(), few], services=SERVICES, product=PRODUCT)

    assert found["ratio_to_sequential"] == pytest.approx(50.0)
    assert (found["ratio_to_limit_16"], found["ratio_to_limit_64"]) == (1.0, 0.9)
    assert found["cpu_ms_per_invoice"] == pytest.approx(1.0)
    assert found["cpu_ms"] == {"64": 1.0, "16": 5.0}


def test_the_last_line_has_the_keys_that_others_read() -> None:
    found = json.loads(json.dumps(figures([run(in_flight=16), run()], services=SERVICES, product=PRODUCT)))

    assert found.keys() >= {
        "ratio_to_sequential",
        "ratio_to_limit_16",
        "ratio_to_limit_64",
        "cpu_ms_per_invoice",
        "per_second",
        "limit_per_second",
        "sequential_per_second",
        "memory_ratio",
        "quiet",
        "lost",
        "twice",
    }


def test_memory_is_the_worst_growth_of_any_run_by_either_measure() -> None:
    growing = run(memory={**run().memory, "sender": (Memory(80 * MB, 60 * MB), Memory(88 * MB, 90 * MB))})

    assert memory_ratios([run(), growing], SERVICES) == pytest.approx({"fetcher": 1.1, "sender": 1.5})


def test_one_noisy_run_of_several_rejects_them_all() -> None:
    runs = [run(), run(others=MOST_OTHERS + 0.01)]

    assert not is_quiet(runs)
    assert exit_code(runs, noisy=False) == 3


def test_a_noisy_run_counts_where_that_is_asked_for() -> None:
    assert exit_code([run(others=0.5)], noisy=True) == 0


def test_a_quiet_run_is_good() -> None:
    assert exit_code([run()], noisy=False) == 0


def test_a_broken_proof_is_worse_than_noise() -> None:
    assert exit_code([run(others=0.5, twice=1, contradictions=("accepted more than once: 1",))], noisy=False) == 1


def test_what_was_lost_or_sent_twice_is_summed_over_the_runs() -> None:
    found = figures([run(in_flight=16, lost=1), run(lost=2, twice=3)], services=SERVICES, product=PRODUCT)

    assert (found["lost"], found["twice"]) == (3, 3)
