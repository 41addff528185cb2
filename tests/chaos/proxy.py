"""A TCP proxy whose faults are switched on and off while it runs.

A fault holds for the bytes and the connections from now on; `clear` ends all of them. Bytes that a fault swallowed are
gone, so connections that a half-open fault was on are reset when it ends: nothing goes on with a hole in its stream.
"""

import asyncio
import random
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

HOST = "127.0.0.1"
_CHUNK = 65536
_NOW = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends a reset."""


class Way(StrEnum):
    """Which bytes: those of the client, those of the server, or both."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Weather:
    """How bytes travel. `rate` in bytes a second, `hole` swallows a direction, `closed` takes no new connection."""

    latency: float = 0.0
    jitter: float = 0.0
    rate: float | None = None
    hole: Way | None = None
    closed: bool = False


CALM = Weather()


class Proxy:
    """Use `Proxy.between`. `reset` and `cut` act at once, `set` changes the weather until `clear`."""

    def __init__(self, target: int, dice: random.Random) -> None:
        self._target = target
        self._dice = dice
        self._weather = CALM
        self._pairs: set[_Pair] = set()
        self.connections = 0

    @classmethod
    @asynccontextmanager
    async def between(cls, port: int, target: int, dice: random.Random | None = None) -> AsyncGenerator["Proxy", None]:
        """Listen on `port` and pass everything to `target`, both on this machine."""
        proxy = cls(target, dice or random.Random(0))
        server = await asyncio.start_server(proxy._serve, HOST, port)
        try:
            yield proxy
        finally:
            server.close()
            proxy.reset()

    def set(self, weather: Weather) -> None:
        self._weather = weather

    def down(self) -> None:
        """Reset what there is and refuse what comes."""
        self.set(Weather(closed=True))
        self.reset()

    def reset(self) -> None:
        """Every connection ends with a reset, on both sides."""
        for pair in list(self._pairs):
            pair.abort()

    def cut(self) -> None:
        """Every connection ends as if both had closed it in the middle."""
        for pair in list(self._pairs):
            pair.close()

    def clear(self) -> None:
        """Good weather; connections with swallowed bytes are reset."""
        self._weather = CALM
        for pair in [pair for pair in self._pairs if pair.holed]:
            pair.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self._weather.closed:
            reset(writer)
            return
        try:
            up_reader, up_writer = await asyncio.open_connection(HOST, self._target)
        except OSError:
            reset(writer)
            return
        pair = _Pair(writer, up_writer)
        self._pairs.add(pair)
        try:
            await asyncio.gather(
                self._pump(pair, Way.UP, reader, up_writer), self._pump(pair, Way.DOWN, up_reader, writer)
            )
        finally:
            pair.close()
            self._pairs.discard(pair)

    async def _pump(self, pair: "_Pair", way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(_CHUNK):
                await self._pass(pair, way, data, writer)
        except OSError:  # what one side feels, the other has to feel
            pair.abort()
            return
        if not pair.holed:
            writer.close()

    async def _pass(self, pair: "_Pair", way: Way, data: bytes, writer: asyncio.StreamWriter) -> None:
        weather = self._weather
        if weather.hole in {way, Way.BOTH}:
            pair.holed = True
        elif weather.rate:
            await self._drip(data, weather.rate, writer)
        else:
            if weather.latency or weather.jitter:
                await asyncio.sleep(max(0.0, weather.latency + self._dice.uniform(-1, 1) * weather.jitter))
            writer.write(data)
            await writer.drain()

    async def _drip(self, data: bytes, rate: float, writer: asyncio.StreamWriter) -> None:
        """In tenths of a second, until the weather changes."""
        piece = max(1, int(rate / 10))
        for begin in range(0, len(data), piece):
            if not self._weather.rate:
                writer.write(data[begin:])
                break
            writer.write(data[begin : begin + piece])
            await asyncio.sleep(0.1)
        await writer.drain()


class _Pair:
    """The two halves of one connection."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._writers = near, far
        self.holed = False

    def abort(self) -> None:
        for writer in self._writers:
            reset(writer)

    def close(self) -> None:
        for writer in self._writers:
            writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a reset."""
    held = cast("socket.socket | None", writer.get_extra_info("socket"))
    if held is not None and held.fileno() >= 0:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOW)
    writer.transport.abort()
