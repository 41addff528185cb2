"""The proxy does what the nemesis says that it does."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from local.ports import CHOICE, is_free
from tests.chaos.proxy import HOST, Proxy, Way, Weather, reset


def free_port(avoid: int = 0) -> int:
    return next(port for port in range(CHOICE.start + 7000, CHOICE.stop) if port != avoid and is_free(port))


@asynccontextmanager
async def echo() -> AsyncGenerator[tuple[Proxy, int], None]:
    """A server that answers what it gets, behind a proxy."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1024):
                if data == b"reset":
                    reset(writer)
                    return
                writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()

    target = free_port()
    server = await asyncio.start_server(answer, HOST, target)
    port = free_port(target)
    try:
        async with Proxy.between(port, target) as proxy:
            yield proxy, port
    finally:
        server.close()


async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float = 2.0) -> bytes:
    writer.write(b"hello")
    async with asyncio.timeout(seconds):
        return await reader.readexactly(5)


async def test_bytes_pass_in_good_weather() -> None:
    async with echo() as (_, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        assert await say(reader, writer) == b"hello"
        writer.close()


async def test_latency_is_added_on_each_way() -> None:
    async with echo() as (proxy, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        proxy.set(Weather(latency=0.1))
        began = time.monotonic()
        await say(reader, writer)
        assert time.monotonic() - began >= 0.2
        writer.close()


async def test_a_slow_line_lets_bytes_through_one_after_the_other() -> None:
    async with echo() as (proxy, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        proxy.set(Weather(rate=10))
        began = time.monotonic()
        await say(reader, writer, 5.0)
        assert time.monotonic() - began >= 0.4
        writer.close()


async def test_a_reset_is_a_reset() -> None:
    async with echo() as (proxy, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        await say(reader, writer)
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_a_reset_by_the_server_reaches_the_client() -> None:
    async with echo() as (_, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"reset")
        with pytest.raises(ConnectionResetError):
            async with asyncio.timeout(2.0):
                await reader.read()
        writer.close()


async def test_a_cut_ends_the_stream() -> None:
    async with echo() as (proxy, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        await say(reader, writer)
        proxy.cut()
        assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize("way", Way)
async def test_a_half_open_connection_answers_nothing_and_is_reset_when_it_heals(way: Way) -> None:
    async with echo() as (proxy, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        await say(reader, writer)
        proxy.set(Weather(hole=way))
        with pytest.raises(TimeoutError):
            await say(reader, writer, 0.2)
        proxy.clear()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_what_is_down_refuses_and_comes_back() -> None:
    async with echo() as (proxy, port):
        proxy.down()
        reader, writer = await asyncio.open_connection(HOST, port)
        with pytest.raises(ConnectionError):
            await say(reader, writer)
        writer.close()
        proxy.clear()
        reader, writer = await asyncio.open_connection(HOST, port)
        assert await say(reader, writer) == b"hello"
        writer.close()
