"""Slack's incoming webhook, through its own client with its own retries off: the notification's row is the retry."""

import asyncio
import logging
import math
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import aiohttp
import structlog
from slack_sdk.webhook.async_client import AsyncWebhookClient

from common.http.client import observed
from common.observability import metrics
from notifier.domain.message import Message, Tone
from notifier.domain.notification import Claim, Delivered, Delivery, NotConfigured, NotDelivered

log = structlog.get_logger()

_SYMBOLS: Mapping[Tone, str] = {Tone.GOOD: "✅", Tone.ATTENTION: "⚠️", Tone.BAD: "❌"}
_HEADER_LIMIT = 150
_TEXT_LIMIT = 590
"""Slack takes 3,000 characters; escaping makes at most five of one."""


class SlackMessenger:
    """Posts to one webhook. Every answer but 200 is `NotDelivered`, so is none: it may then be there twice."""

    def __init__(self, url: str, *, timeout: timedelta) -> None:
        quiet = logging.getLogger("notifier.slack")
        quiet.setLevel(logging.WARNING)  # below, the client logs its URL, which is the secret
        self._timeout = timeout.total_seconds()
        self._client = AsyncWebhookClient(url, timeout=math.ceil(self._timeout), retry_handlers=[], logger=quiet)
        self._client.proxy = None  # it would take HTTP_PROXY and know no exceptions to it

    async def post(self, message: Message, claim: Claim) -> Delivery:  # noqa: ARG002 - Slack knows no ids of ours
        async with observed("slack", "POST") as call:
            delivery = await self._post(message)
            call.name = "ok" if isinstance(delivery, Delivered) else "error"
        metrics.NOTIFICATIONS.labels("slack", "sent" if isinstance(delivery, Delivered) else "failed").inc()
        return delivery

    async def _post(self, message: Message) -> Delivery:
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._client.send(
                    text=as_text(message), blocks=as_blocks(message), unfurl_links=False, unfurl_media=False
                )
        except (aiohttp.ClientError, OSError, TimeoutError, UnicodeDecodeError) as error:
            # Its text may hold the address, and the address is the secret.
            return NotDelivered(f"no answer: {type(error).__name__}")
        if answer.status_code == HTTPStatus.OK:
            return Delivered()
        return NotDelivered(f"{answer.status_code} {answer.body[:100]}", _retry_after(answer.headers))


class NoMessenger:
    """Stands in where no webhook is set."""

    def __init__(self) -> None:
        log.warning("slack_not_configured", hint="set SLACK_WEBHOOK_URL; until then messages are stored, not sent")

    async def post(self, message: Message, claim: Claim) -> Delivery:  # noqa: ARG002 - the port's signature
        metrics.NOTIFICATIONS.labels("slack", "not_configured").inc()
        return NotConfigured()


def _retry_after(headers: Mapping[str, Any]) -> timedelta | None:
    text = str(headers.get("Retry-After", ""))
    return timedelta(seconds=int(text)) if text.isdecimal() else None


def as_text(message: Message) -> str:
    """The fallback for notifications and screen readers: everything, as lines."""
    figures = ", ".join(f"{label} {value}" for label, value in message.figures)
    lines = [f"{_SYMBOLS[message.tone]} {message.headline}", figures, *message.paragraphs, message.url]
    return "\n".join(_escape(line) for line in lines if line)


def as_blocks(message: Message) -> list[dict[str, Any]]:
    header = f"{_SYMBOLS[message.tone]} {message.headline}"[:_HEADER_LIMIT]
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": header, "emoji": True}}]
    if message.figures:
        fields = [_markdown(f"*{_escape(label)}*\n{_escape(value)}") for label, value in message.figures]
        blocks.append({"type": "section", "fields": fields})
    blocks += [{"type": "section", "text": _markdown(_escape(paragraph))} for paragraph in message.paragraphs]
    blocks.append({"type": "context", "elements": [_markdown(_footer(message))]})
    return blocks


def _footer(message: Message) -> str:
    link = f"<{_escape(message.url)}|{_escape(message.link)}>"
    if message.at is None:
        return link
    fallback = f"{message.at:%Y-%m-%d %H:%M} UTC"
    return f"{link} · <!date^{int(message.at.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"


def _markdown(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def _escape(text: str) -> str:
    """The three characters that Slack reads: https://docs.slack.dev/messaging/formatting-message-text/#escaping."""
    cut = text if len(text) <= _TEXT_LIMIT else f"{text[: _TEXT_LIMIT - 1]}…"
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
