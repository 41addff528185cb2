"""Deliberately broken variants of the services, and defects that happen once: patched in at the start of a process.

`controls.json` names what a service is broken by. Each patch fails loudly where what it breaks is not there any more.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from common.kafka import Batch, Consumers


def install(folder: Path, service: str) -> None:
    """Break this process in the ways that it is told, and say so in `broken-SERVICE`."""
    word = folder / "controls.json"
    told: dict[str, list[str]] = json.loads(word.read_text(encoding="utf-8")) if word.exists() else {}
    for name in told.get(service, ()):
        BREAKS[name](folder)
    (folder / f"broken-{service}").write_text(" ".join(told.get(service, ())), encoding="utf-8")


def _wrap_handlers(wrap: Callable[[Any], Any]) -> None:
    original = Consumers.on

    def on(self: Consumers, topic: Any, kind: Any, handler: Any, **options: Any) -> None:
        original(self, topic, kind, wrap(handler), **options)

    Consumers.on = on  # type: ignore[method-assign]


def commit_before_work(_: Path) -> None:
    """The record is acknowledged before its handler has worked it."""

    def wrap(handler: Any) -> Any:
        async def early(batch: Any) -> None:
            await batch.acknowledge()
            await handler(batch)

        return early

    _wrap_handlers(wrap)


def bare_commit(_: Path) -> None:
    """FastStream's own ways: `commit()` of whatever was polled, and a seek of the first record's partition only."""

    async def acknowledge(self: Any) -> None:
        self.acknowledged = True
        await self._consumer.commit()

    def rewind(self: Any) -> None:
        from aiokafka import TopicPartition  # noqa: PLC0415

        record = self._records[0]
        self._consumer.seek(TopicPartition(record.topic, record.partition), record.offset)

    Batch.acknowledge = acknowledge  # type: ignore[method-assign]
    Batch.rewind = rewind  # type: ignore[method-assign]


def no_watchdog(_: Path) -> None:
    """Nobody ends a process whose consumer stands still."""
    from common.kafka.watchdog import Watchdog  # noqa: PLC0415

    async def run(self: Any) -> None:
        await asyncio.Event().wait()

    Watchdog.run = run  # type: ignore[method-assign]


def hang_once(folder: Path) -> None:
    """Not a broken variant but a fault: the first batch of the first process is never done."""
    _once(folder, "hung", asyncio.Event().wait)


def give_up_once(folder: Path) -> None:
    """A fault: the first batch of the first process is left without an acknowledgement."""

    async def nothing() -> None:
        return

    _once(folder, "given-up", nothing)


def _once(folder: Path, name: str, instead: Callable[[], Any]) -> None:
    mark = folder / name

    def wrap(handler: Any) -> Any:
        async def first(batch: Any) -> None:
            if mark.exists():
                await handler(batch)
                return
            mark.touch()
            await instead()

        return first

    _wrap_handlers(wrap)


def lease_back(_: Path) -> None:
    """A claim whose lease ran out goes back to be sent, as if it had never left."""
    from common.invoice.stage import Stage  # noqa: PLC0415
    from sender.adapters.postgres import PostgresClaims  # noqa: PLC0415

    original = PostgresClaims.give_up

    async def give_up(self: Any, keys: Any, to: Any, error: Any) -> Any:
        return await original(self, keys, Stage.VALIDATED, error)

    PostgresClaims.give_up = give_up  # type: ignore[method-assign]


def client_retries(_: Path) -> None:
    """The HTTP client tries again by itself."""
    from common.http.client import TRANSPORT_ERRORS  # noqa: PLC0415
    from common.http.direct import DirectPost  # noqa: PLC0415

    original = DirectPost.__call__

    async def call(self: Any, *args: Any, **options: Any) -> Any:
        for _ in range(2):
            try:
                return await original(self, *args, **options)
            except TRANSPORT_ERRORS:
                continue
        return await original(self, *args, **options)

    DirectPost.__call__ = call  # type: ignore[method-assign]


def lookup_alone(_: Path) -> None:
    """What a lookup does not find is sent again at once."""
    from sender.domain import evidence  # noqa: PLC0415

    def absent(*_: Any) -> Any:
        return evidence.SendAgain(timedelta(0))

    _replace(evidence, "_absent", absent)


def frees_key(_: Path) -> None:
    """A row that may have been sent gives its key to the next version of the document."""
    from common.invoice.stage import Stage  # noqa: PLC0415
    from fetcher import domain  # noqa: PLC0415

    original = domain.judge

    def judge(content: Any, holder: Any, **options: Any) -> Any:
        if holder is not None and holder.maybe_sent:
            holder = replace(holder, stage=Stage.FAILED, maybe_sent=False)
        return original(content, holder, **options)

    domain.judge = judge


def versionless(_: Path) -> None:
    """A move applies whatever version the row has."""
    from common.db import moves  # noqa: PLC0415

    core = moves.move_core

    def blind(text: str) -> str:
        if "AND i.version = n.version" not in text:
            raise AssertionError("the compare-and-set of a move is elsewhere now")
        return text.replace("AND i.version = n.version", "")

    def move_core(*also: str) -> str:
        return blind(core(*also))

    moves.move_core = move_core
    moves.MOVE = move_core()
    _replace(moves, "_APPLY", blind(vars(moves)["_APPLY"]))


def blind_replay(_: Path) -> None:
    """A replay takes every row of its list, however the row stands by now."""
    from common.invoice.stage import Stage  # noqa: PLC0415
    from gateway.adapters import replay_items  # noqa: PLC0415
    from gateway.replay.judging import Go  # noqa: PLC0415

    def judge(*_: Any) -> Any:
        return Go(Stage.VALIDATED)

    _replace(replay_items, "judge_row", judge)


def _replace(module: ModuleType, name: str, value: Any) -> None:
    if name not in vars(module):
        raise AssertionError(f"{module.__name__} has no {name} any more")
    setattr(module, name, value)


BREAKS: Mapping[str, Callable[[Path], None]] = {
    "bare-commit": bare_commit,
    "blind-replay": blind_replay,
    "client-retries": client_retries,
    "commit-before-work": commit_before_work,
    "frees-key": frees_key,
    "give-up-once": give_up_once,
    "hang-once": hang_once,
    "lease-back": lease_back,
    "lookup-alone": lookup_alone,
    "no-watchdog": no_watchdog,
    "versionless": versionless,
}
