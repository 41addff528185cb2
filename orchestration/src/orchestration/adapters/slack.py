"""Slack, for the one case in which nobody else can speak: the gateway is away."""

import time
from collections.abc import Callable

import structlog
from slack_sdk.errors import SlackClientError
from slack_sdk.webhook import WebhookClient

from common.errors import InfrastructureError

log = structlog.get_logger()

TRIES = 3
TIMEOUT = 5
"""Seconds for one of them: a sensor's tick has a limit."""


class SlackVoice:
    """Without a webhook it only logs."""

    def __init__(self, webhook_url: str | None, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = WebhookClient(webhook_url, timeout=TIMEOUT) if webhook_url else None
        self._sleep = sleep

    def say(self, text: str) -> None:
        if self._client is None:
            log.error("nobody_to_tell", text=text)
            return
        why = ""
        for attempt in range(TRIES):
            if attempt:
                self._sleep(attempt)
            try:
                answer = self._client.send(text=text)
            except (OSError, SlackClientError) as error:
                why = f"{type(error).__name__}: {error}"
                continue
            if answer.status_code == 200:
                return
            why = f"answered {answer.status_code}"
        raise InfrastructureError(f"slack: {why}")
