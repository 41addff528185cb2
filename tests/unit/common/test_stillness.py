"""When a consumer stands still, judged from looks that a test owns."""

from aiokafka import TopicPartition

from common.kafka.stillness import Look, Stillness

ZERO, ONE = TopicPartition("t", 0), TopicPartition("t", 1)
BOTH = frozenset({ZERO, ONE})


class Watching:
    """Looks once a second."""

    def __init__(self) -> None:
        self.stillness = Stillness()
        self.now = 100.0

    def see(
        self,
        committed: dict[TopicPartition, int] | None,
        ends: dict[TopicPartition, int] | None,
        *,
        assigned: frozenset[TopicPartition] = BOTH,
        waits: bool = False,
        late: bool = False,
        expelled: bool = False,
    ) -> float:
        self.now += 1.0
        look = Look(self.now, assigned, ends, committed, waits=waits, late=late, expelled=expelled)
        return self.stillness.judge(look)


LAG = {ZERO: 9, ONE: 5}
STANDS = {ZERO: 5, ONE: 5}


def test_a_consumer_with_lag_that_acknowledges_nothing_stands_still() -> None:
    watching = Watching()
    assert [watching.see(STANDS, LAG) for _ in range(4)] == [0.0, 0.0, 1.0, 2.0]


def test_new_records_do_not_hide_that_it_stands_still() -> None:
    watching = Watching()
    assert [watching.see(STANDS, {ZERO: 9 + n, ONE: 5}) for n in range(4)] == [0.0, 0.0, 1.0, 2.0]


def test_nobody_is_asked_for_movement_where_there_is_nothing_to_do() -> None:
    watching = Watching()
    assert [watching.see(STANDS, STANDS) for _ in range(4)] == [0.0] * 4


def test_an_acknowledgement_in_any_partition_is_movement() -> None:
    watching = Watching()
    ends = {ZERO: 99, ONE: 99}
    assert [watching.see({ZERO: 5, ONE: n}, ends) for n in range(4)] == [0.0] * 4


def test_the_clock_starts_again_after_every_reason_for_no_verdict() -> None:
    for seen in ({"waits": True}, {"late": True}, {"assigned": frozenset({ZERO})}):
        watching = Watching()
        for _ in range(4):
            watching.see(STANDS, LAG)
        assert watching.see(STANDS, LAG, **seen) == 0.0  # pyright: ignore[reportArgumentType]
        assert watching.see(STANDS, LAG) == 0.0


def test_a_broker_that_answers_nobody_is_no_verdict() -> None:
    watching = Watching()
    watching.see(STANDS, LAG)
    assert [watching.see(None, None) for _ in range(4)] == [0.0] * 4


def test_a_broker_that_is_back_is_given_time_to_be_found() -> None:
    watching = Watching()
    watching.see(STANDS, LAG)
    watching.see(None, None)
    assert [watching.see(STANDS, LAG) for _ in range(7)] == [0.0] * 5 + [1.0, 2.0]


def test_a_consumer_that_alone_gets_no_answer_stands_still_behind_what_was_known() -> None:
    watching = Watching()
    watching.see(STANDS, STANDS)
    assert [watching.see(None, LAG) for _ in range(3)] == [0.0, 1.0, 2.0]
    idle = Watching()
    idle.see(STANDS, STANDS)
    assert [idle.see(None, STANDS) for _ in range(3)] == [0.0] * 3


def test_a_spare_member_without_partitions_is_left_alone_and_one_that_fell_out_of_the_group_is_not() -> None:
    spare, expelled = Watching(), Watching()
    none = frozenset[TopicPartition]()
    assert [spare.see({}, {}, assigned=none) for _ in range(3)] == [0.0] * 3
    assert [expelled.see({}, {}, assigned=none, expelled=True) for _ in range(3)] == [0.0, 0.0, 1.0]
