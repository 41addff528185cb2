"""Readiness probes: an open port is not readiness, so each asks a question that only a serving part answers."""

import asyncio
import json
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import asyncpg

HOST = "127.0.0.1"
MEMORY = "memory"
"""The readiness check of sender and fetcher that is down while the database has forgotten sends."""
# Metadata, version 4, correlation id 1, no client id, no topics, no automatic creation.
METADATA_REQUEST = struct.pack(">ihhihib", 15, 3, 4, 1, -1, 0, 0)


@asynccontextmanager
async def _connection(port: int) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def kafka_answers(port: int) -> bool:
    """Whether the broker knows at least one broker, itself included."""
    async with _connection(port) as (reader, writer):
        writer.write(METADATA_REQUEST)
        try:
            # length, correlation id, throttle time, number of brokers
            answer = await reader.readexactly(16)
        except asyncio.IncompleteReadError:
            return False
    _, correlation, _, brokers = struct.unpack(">iiii", answer)
    return correlation == 1 and brokers >= 1


async def valkey_answers(port: int) -> bool:
    async with _connection(port) as (reader, writer):
        writer.write(b"PING\r\n")
        return (await reader.readline()).startswith(b"+PONG")


async def postgres_answers(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=2)
    except asyncpg.PostgresError:
        return False
    try:
        return await connection.fetchval("SELECT 1") == 1
    except asyncpg.PostgresError:
        return False
    finally:
        connection.terminate()


async def port_accepts(port: int) -> bool:
    """For parts that speak nothing simple, as gRPC."""
    async with _connection(port):
        return True


async def service_answers(port: int, path: str = "/health/ready") -> bool:
    """Whether a service of ours is ready, or lacks no more than a database that remembers: that takes a person.

    The system has to be up for `clearfacts recover`.
    """
    async with _connection(port) as (reader, writer):
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {HOST}:{port}\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    if head.startswith((b"HTTP/1.1 2", b"HTTP/1.0 2")):
        return True
    try:
        parts = json.loads(body)["parts"]
    except (ValueError, KeyError, TypeError):
        return False
    return {name for name, state in parts.items() if state != "up"} == {MEMORY}


async def http_answers(port: int, path: str = "/health/ready") -> bool:
    """Whether GET `path` is answered with a 2xx."""
    async with _connection(port) as (reader, writer):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
        status_line = await reader.readline()
    return status_line.startswith((b"HTTP/1.1 2", b"HTTP/1.0 2"))
