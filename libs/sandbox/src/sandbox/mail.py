"""A mail server that delivers nothing: what it took can be read back, also after a restart."""

import asyncio
import json
import logging
import os
import ssl
import time
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sandbox.control import Player
from sandbox.faults import Behaviour, Effect, Rule
from sandbox.ledger import rfc3339
from sandbox.web import Plan, Request, Routes, json_reply

TAKEN = "250 2.0.0 taken"
_AT_RECIPIENT = {
    Effect.REFUSE: "550 5.1.1 <{to}> no such user here",
    Effect.FORBIDDEN: "530 5.7.0 authentication is required",
    Effect.TOO_MANY: "451 4.7.1 <{to}> greylisted, come back later",
    Effect.UNAVAILABLE: "421 4.3.2 the server is being shut down",
}
_AT_CONTENT = {
    Effect.TOO_LARGE: "552 5.3.4 the message is too large",
    Effect.SERVER_ERROR: "554 5.3.0 the transaction failed",
    Effect.BAD_GATEWAY: "451 4.3.0 a queue cannot be written",
}
_EFFECTS = frozenset(
    {
        *_AT_RECIPIENT,
        *_AT_CONTENT,
        Effect.RESET_BEFORE,  # the connection ends before the message is stored
        Effect.RESET_AFTER,  # ambiguous: stored, then no answer
        Effect.HANG_BEFORE,
        Effect.HANG_AFTER,
        Effect.SLOW,
    }
)
_FOREVER = 3600.0


class Mail:
    """Takes mail by SMTP into `path`, one JSON line each; `GET /sandbox/messages` lists it."""

    def __init__(
        self,
        path: Path,
        *,
        behaviour: Behaviour | None = None,
        clock: Callable[[], float] = time.time,
        tls: ssl.SSLContext | None = None,
        password: str | None = None,
    ) -> None:
        """With `tls` there is STARTTLS; with a `password` it is asked for, whatever the name."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._clock = clock
        self._tls = tls
        self._password = password
        self.player = Player(behaviour or Behaviour(), "post", _EFFECTS)
        self.seen = 0
        """How many connections there were."""
        logging.getLogger("mail").setLevel(logging.ERROR)  # the library tells each command

    def routes(self) -> Routes:
        return Routes(
            {
                ("GET", "/sandbox/messages"): self._messages,
                ("DELETE", "/sandbox/messages"): self._forget,
                **self.player.routes(),
            }
        )

    def close(self) -> None:
        os.close(self._descriptor)

    def messages(self) -> list[dict[str, Any]]:
        lines = self._path.read_bytes().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith(b"\n")]

    async def serve(
        self, port: int = 0, host: str = "127.0.0.1", *, at_once: ssl.SSLContext | None = None
    ) -> asyncio.Server:
        """Raises OSError when the port is taken; port 0 takes a free one. `at_once`: TLS from the first byte."""
        loop = asyncio.get_running_loop()
        return await loop.create_server(self._conversation, host, port, ssl=at_once)

    def _conversation(self) -> SMTP:
        self.seen += 1
        return SMTP(
            _Letters(self),
            hostname="sandbox",
            tls_context=self._tls,
            auth_required=self._password is not None,
            authenticator=self._authenticate,
            loop=asyncio.get_running_loop(),
        )

    def _authenticate(self, *given: Any) -> AuthResult:
        """Of the library's five arguments the last one is what the client sent."""
        login = given[-1]
        right = isinstance(login, LoginPassword) and login.password.decode() == self._password
        return AuthResult(success=right, handled=False)

    def store(self, envelope: Envelope) -> None:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        message = message_from_bytes(content, policy=policy.default)
        text = message.get_body(("plain",))
        stored = {
            "received_at": rfc3339(self._clock()),
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "subject": str(message["Subject"]),
            "message_id": str(message["Message-ID"]),
            "text": text.get_content() if text else "",
            "raw": content.decode("utf-8", errors="replace"),
        }
        os.write(self._descriptor, json.dumps(stored, ensure_ascii=False).encode() + b"\n")

    def _messages(self, _: Request) -> Plan:
        return json_reply({"items": self.messages()})

    def _forget(self, _: Request) -> Plan:
        os.ftruncate(self._descriptor, 0)
        return json_reply({"items": []})


class _Letters:
    """The hooks of one conversation; a rule is picked by the address of a recipient."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self._rule: Rule | None = None

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        script = self._mail.player.script
        self._rule = script.pick("post", address)
        if delay := script.latency() + (self._rule.seconds if self._rule else 0):
            await asyncio.sleep(delay)
        if self._rule and self._rule.effect in _AT_RECIPIENT:
            return _AT_RECIPIENT[self._rule.effect].format(to=address)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 a recipient"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del session
        effect = self._rule.effect if self._rule else None
        if effect is not None and effect in _AT_CONTENT:
            return _AT_CONTENT[effect]
        if effect not in {Effect.RESET_BEFORE, Effect.HANG_BEFORE}:
            self._mail.store(envelope)
        if effect in {Effect.RESET_BEFORE, Effect.RESET_AFTER} and server.transport is not None:
            cast("asyncio.Transport", server.transport).abort()
        if effect in {Effect.HANG_BEFORE, Effect.HANG_AFTER}:
            await asyncio.sleep(_FOREVER)
        return TAKEN
