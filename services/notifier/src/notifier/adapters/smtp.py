"""A mail server, one connection for a message: the notification's row is the retry."""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

import aiosmtplib
from aiosmtplib import SMTPResponseException

from common.clock import SYSTEM_CLOCK, Clock
from common.http.client import observed
from common.observability import metrics
from notifier.adapters.letters import letter
from notifier.domain.channels import EMAIL
from notifier.domain.message import Message
from notifier.domain.notification import Claim, Delivered, Delivery, NotDelivered, Refused
from notifier.domain.words import Words

SILENCE = timedelta(seconds=30)
"""After a connection that failed: what failed for one message fails for the next."""
_NO_MAILBOX = frozenset({550, 551, 553})
"""From a server that says no more than these."""
_GOING = 421
_GOODBYE = 1.0
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?= |$)")


Security = Literal["starttls", "tls", "none"]
"""`starttls` begins plain, and is refused where the server does not offer TLS."""


@dataclass(frozen=True, slots=True)
class MailServer:
    host: str
    port: int
    security: Security
    timeout: timedelta
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None

    def client(self, name: str) -> aiosmtplib.SMTP:
        """`name` is what we call ourselves. Asking the resolver for it would stop the event loop."""
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            timeout=self.timeout.total_seconds(),
            use_tls=self.security == "tls",
            start_tls=self.security == "starttls",
            tls_context=None if self.security == "none" else ssl.create_default_context(cafile=self.ca_file),
            username=self.username,
            password=self.password,
            local_hostname=name,
        )


class SmtpMessenger:
    """Only an answer of 2xx to the whole message is `Delivered`. No answer, and it may be there twice, as one."""

    def __init__(
        self,
        server: MailServer,
        *,
        sender: str,
        addresses: Mapping[str, str],
        words: Callable[[str], Awaitable[Words]],
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """`addresses` by channel, as `words`."""
        self._server = server
        self._seconds = server.timeout.total_seconds() / 2  # for the connection, and for the message
        self._sender = sender
        self._addresses = addresses
        self._words = words
        self._clock = clock

    async def post(self, message: Message, claim: Claim) -> Delivery:
        async with observed("smtp", "SEND") as call:
            delivery = await self._post(message, claim)
            call.name = "ok" if isinstance(delivery, Delivered) else "error"
        metrics.NOTIFICATIONS.labels(EMAIL, "sent" if isinstance(delivery, Delivered) else "failed").inc()
        return delivery

    async def _post(self, message: Message, claim: Claim) -> Delivery:
        to, words = self._addresses[claim.channel], await self._words(claim.channel)
        made = letter(message, claim, sender=self._sender, to=to, words=words, now=self._clock.now())
        client = self._server.client(self._sender.rpartition("@")[2])
        try:
            if (refused := await self._connect(client)) is not None:
                return refused
            async with asyncio.timeout(self._seconds):
                delivery = await self._hand_over(client, made.as_bytes(), to)
            await _goodbye(client)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return NotDelivered(f"no answer: {type(error).__name__}")
        else:
            return delivery
        finally:
            client.close()

    async def _connect(self, client: aiosmtplib.SMTP) -> NotDelivered | None:
        try:
            async with asyncio.timeout(self._seconds):
                await client.connect()
        except aiosmtplib.SMTPAuthenticationError as error:
            return NotDelivered(f"the login was refused: {_code(error)}", SILENCE)
        except ssl.SSLError:
            return NotDelivered("no trusted TLS connection", SILENCE)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            # Its text may hold addresses.
            return NotDelivered(f"no connection: {type(error).__name__}", SILENCE)
        return None

    async def _hand_over(self, client: aiosmtplib.SMTP, content: bytes, to: str) -> Delivery:
        """On a connection that is there: what fails now is about this message, unless the server goes away."""
        try:
            await client.mail(self._sender)
            await client.rcpt(to)
            await client.data(content)
        except aiosmtplib.SMTPRecipientRefused as error:
            if _nobody_there(error):
                return Refused(f"the recipient was refused: {_code(error)}")
            return _not_yet("the recipient was not taken", error)
        except aiosmtplib.SMTPSenderRefused as error:
            return _not_yet("the sender was refused", error)
        except SMTPResponseException as error:
            return _not_yet("the message was refused", error)
        return Delivered()


async def _goodbye(client: aiosmtplib.SMTP) -> None:
    """How the conversation ends changes nothing of what was said in it."""
    with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        async with asyncio.timeout(_GOODBYE):
            await client.quit()


def _not_yet(what: str, error: SMTPResponseException) -> NotDelivered:
    return NotDelivered(f"{what}: {_code(error)}", SILENCE if error.code == _GOING else None)


def _nobody_there(error: SMTPResponseException) -> bool:
    """Whether the address is the reason (RFC 3463: 5.1.x, 5.2.x), and not that we may not write to it."""
    enhanced = _ENHANCED.match(error.message)
    return enhanced[0].startswith(("5.1.", "5.2.")) if enhanced else error.code in _NO_MAILBOX


def _code(error: SMTPResponseException) -> str:
    """The numbers alone: servers repeat addresses in what they say."""
    enhanced = _ENHANCED.match(error.message)
    return f"{error.code} {enhanced[0]}" if enhanced else str(error.code)
