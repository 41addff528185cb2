"""The limit: nothing but N calls in flight, by the sender's client, with the same bodies, to the same destination."""

import asyncio
from collections.abc import Iterator
from itertools import cycle, islice
from uuid import uuid4

import httpx

from benchmarks.child import Done, Watch, Work, serve
from benchmarks.documents import Document, first_documents, post
from common.http.client import make_client

BODIES = 2_000
WARM_ROUNDS = 5


async def measure(work: Work) -> Done:
    """Post `work.count` documents, after some that open the connections."""
    bodies = await first_documents(work, BODIES)
    client = make_client(base_url=work.destination_url, token=work.token, connections=work.in_flight)
    async with client:
        supply = cycle(bodies)
        await _post_all(client, islice(supply, WARM_ROUNDS * work.in_flight), work.in_flight)
        watch = Watch()
        await _post_all(client, islice(supply, work.count), work.in_flight)
        return watch.done(work.count)


async def _post_all(client: httpx.AsyncClient, supply: Iterator[Document], in_flight: int) -> None:
    async def worker() -> None:
        for document in supply:
            await post(client, document, uuid4())

    async with asyncio.TaskGroup() as tasks:
        for _ in range(in_flight):
            tasks.create_task(worker())


if __name__ == "__main__":
    serve(measure)
