"""The Slack adapter against the sandbox's Slack: every way a post can end."""

from datetime import timedelta

import pytest

from notifier.adapters.slack import SlackMessenger
from notifier.domain.notification import Delivered, Delivery, NotDelivered
from sandbox.faults import Behaviour, Effect, Rule
from tests.integration.notifier.conftest import SlackFace
from tests.integration.notifier.test_rows import CLAIM, MESSAGE

pytestmark = pytest.mark.stack


@pytest.mark.parametrize(
    ("rule", "stored", "ending"),
    [
        (None, 1, Delivered()),
        (Rule(effect=Effect.GARBAGE), 1, Delivered()),
        (Rule(effect=Effect.TOO_MANY, retry_after=7), 0, NotDelivered("429 ", timedelta(seconds=7))),
        (Rule(effect=Effect.UNAVAILABLE, retry_after=3), 0, NotDelivered("503 ", timedelta(seconds=3))),
        (Rule(effect=Effect.FORBIDDEN), 0, NotDelivered("403 ")),
        (Rule(effect=Effect.SERVER_ERROR), 0, NotDelivered("500 ")),
        (Rule(effect=Effect.BAD_GATEWAY), 0, NotDelivered("502 ")),
        (Rule(effect=Effect.RESET_BEFORE), 0, NotDelivered("no answer: ")),
        (Rule(effect=Effect.HANG_BEFORE), 0, NotDelivered("no answer: TimeoutError")),
        (Rule(effect=Effect.RESET_AFTER), 1, NotDelivered("no answer: ")),
        (Rule(effect=Effect.HANG_AFTER), 1, NotDelivered("no answer: TimeoutError")),
    ],
    ids=lambda value: value.effect.value if isinstance(value, Rule) else "",
)
async def test_only_a_200_is_delivered(slack: SlackFace, rule: Rule | None, stored: int, ending: Delivery) -> None:
    slack.face.player.play(Behaviour(rules=(rule,) if rule else ()))
    outcome = await SlackMessenger(slack.url, timeout=timedelta(seconds=0.5)).post(MESSAGE, CLAIM)
    assert type(outcome) is type(ending)
    if isinstance(outcome, NotDelivered) and isinstance(ending, NotDelivered):
        assert outcome.error.startswith(ending.error)
        assert outcome.retry_after == ending.retry_after
        assert "secret" not in outcome.error
    assert len(slack.texts()) == stored


async def test_a_slack_that_is_not_there_is_no_answer(slack: SlackFace) -> None:
    slack.down()
    outcome = await SlackMessenger(slack.url, timeout=timedelta(seconds=1)).post(MESSAGE, CLAIM)
    assert isinstance(outcome, NotDelivered)
    assert outcome.error.startswith("no answer: ClientConnectorError")
