"""A Slack incoming webhook: what was posted can be read back, also after a restart."""

import json
import os
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from sandbox.control import Player
from sandbox.faults import AFTER, Behaviour, Effect, apply, spoil
from sandbox.ledger import rfc3339
from sandbox.web import Plan, Reply, Request, Routes, json_reply

_EFFECTS = frozenset(
    {
        Effect.FORBIDDEN,
        Effect.TOO_MANY,
        Effect.SERVER_ERROR,
        Effect.SERVER_ERROR_AFTER,
        Effect.UNAVAILABLE,
        Effect.BAD_GATEWAY,
        Effect.RESET_BEFORE,  # down
        Effect.RESET_AFTER,  # ambiguous: stored, then no answer
        Effect.HANG_BEFORE,
        Effect.HANG_AFTER,
        Effect.GARBAGE,
        Effect.CUT,
        Effect.SLOW,
    }
)


class Slack:
    """`POST /services/...` stores a message in `path`, one JSON line each; `GET /sandbox/messages` lists them."""

    def __init__(
        self, path: Path, *, behaviour: Behaviour | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._clock = clock
        self.player = Player(behaviour or Behaviour(), "post", _EFFECTS)

    def routes(self) -> Routes:
        return Routes(
            {
                ("POST", "/services/*"): self.post,
                ("GET", "/sandbox/messages"): self._messages,
                ("DELETE", "/sandbox/messages"): self._forget,
                **self.player.routes(),
            }
        )

    def close(self) -> None:
        os.close(self._descriptor)

    def messages(self) -> list[dict[str, object]]:
        lines = self._path.read_bytes().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith(b"\n")]

    def post(self, request: Request) -> Plan:
        rule = self.player.script.pick("post", request.body.decode("utf-8", errors="replace"))
        if rule is not None and rule.effect not in AFTER:
            return spoil(rule, self.player.script.latency()) or self._store(request)
        return apply(rule, self._store(request)._replace(delay=self.player.script.latency()))

    def _store(self, request: Request) -> Reply:
        """Answers as Slack does: plain text, and a word for what is wrong."""
        try:
            message = json.loads(request.body)
        except ValueError:
            return _word(HTTPStatus.BAD_REQUEST, "invalid_payload")
        if not isinstance(message, dict):
            return _word(HTTPStatus.BAD_REQUEST, "invalid_payload")
        if not any(message.get(part) for part in ("text", "blocks", "attachments")):
            return _word(HTTPStatus.BAD_REQUEST, "no_text")
        stored = {"received_at": rfc3339(self._clock()), "path": request.path, "message": message}
        os.write(self._descriptor, json.dumps(stored, ensure_ascii=False).encode() + b"\n")
        return _word(HTTPStatus.OK, "ok")

    def _messages(self, _: Request) -> Plan:
        return json_reply({"items": self.messages()})

    def _forget(self, _: Request) -> Plan:
        os.ftruncate(self._descriptor, 0)
        return json_reply({"items": []})


def _word(status: HTTPStatus, word: str) -> Reply:
    return Reply(status, word.encode(), "text/plain")
