"""`docs/events.md` is what the contracts say, and the contracts are what the services do."""

import ast

import pytest

from common.contracts.describe import EVENTS, document
from common.contracts.topics import TOPICS, Topic
from tests.architecture.source import ROOT, SERVICES, tree
from tests.architecture.test_cards import calls, consumed, emitted, members

SCHEDULE = "orchestration"


def services(names: tuple[str, ...]) -> set[str]:
    return {name for name in names if name in SERVICES}


def test_the_page_is_what_the_code_says() -> None:
    assert (ROOT / "docs/events.md").read_text(encoding="utf-8") == document(), "run: just events"


@pytest.mark.parametrize("topic", Topic)
def test_a_topic_names_the_services_that_write_and_read_it(topic: Topic) -> None:
    spec = TOPICS[topic]
    assert services(spec.writers) == {service for service in SERVICES if topic in emitted(service)}
    assert services(spec.readers) == {service for service in SERVICES if topic in consumed(service)}


def test_the_schedule_writes_what_the_topics_say() -> None:
    written = members(tree(ROOT / "orchestration/src/orchestration/adapters/kafka.py"), "Topic")
    assert {Topic[name] for name in written} == {topic for topic in Topic if SCHEDULE in TOPICS[topic].writers}


def test_a_service_reads_a_topic_as_the_event_that_is_described() -> None:
    read = {
        Topic[members(call.args[0], "Topic")[0]]: ast.unparse(call.args[1])
        for service in SERVICES
        for called, call in calls(service)
        if called == "on" and call.args
    }
    assert read == {topic: EVENTS[topic].__name__ for topic in read}
    assert set(EVENTS) == set(Topic)
