"""HTTP/1.1 over kept connections with almost no cost of its own: what is measured is the server."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Self

HOST = "127.0.0.1"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Wire:
    """One connection; one question after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection(HOST, port, limit=2**20))

    async def ask(self, request: bytes) -> int:
        """The answer's status, when all of it is here."""
        self.begin(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        if (length := _LENGTH.search(head)) is not None:
            await self._reader.readexactly(int(length[1]))
        return int(head[9:12])

    def begin(self, request: bytes) -> None:
        """Of an answer that is read line by line."""
        self._writer.write(request)

    async def line(self) -> bytes:
        """Empty at the end."""
        return await self._reader.readline()

    def close(self) -> None:
        self._writer.close()


class Wires:
    """As many connections as are needed at once; one that was idle for `longest` seconds is not used again."""

    def __init__(self, port: int, *, longest: float = 4.0) -> None:
        self._port = port
        self._longest = longest  # uvicorn drops an idle connection after five
        self._idle: list[tuple[float, Wire]] = []

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[Wire, None]:
        now = asyncio.get_running_loop().time
        since, wire = self._idle.pop() if self._idle else (now(), await Wire.open(self._port))
        if now() - since > self._longest:
            self.close()  # those below it have waited longer
            wire.close()
            wire = await Wire.open(self._port)
        yield wire
        self._idle.append((now(), wire))

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[1].close()


def get(path: str, token: str) -> bytes:
    """A request as it goes over the wire."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nAccept: application/json\r\nAuthorization: Bearer {token}\r\n\r\n"
    ).encode()
