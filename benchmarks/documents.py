"""The source's documents and the destination's call, as the fetcher and the sender make them."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

import httpx
import orjson

from benchmarks.child import Work
from common.http.client import make_client

PAGE = 200
ADMINISTRATION = "0000000097"


@dataclass(frozen=True, slots=True)
class Document:
    id: str
    content: bytes


async def documents(work: Work) -> AsyncGenerator[Document, None]:
    """All that the source lists, page by page."""
    cursor: str | None = None
    async with make_client(base_url=work.source_url, token=work.token, connections=1) as client:
        while True:
            params = {"limit": str(PAGE), **({"cursor": cursor} if cursor else {})}
            page = orjson.loads((await client.get("/invoices", params=params)).raise_for_status().content)
            for item in page["items"]:
                yield Document(item["id"], item["ubl"].encode())
            cursor = page["next_cursor"]
            if cursor is None:
                return


async def first_documents(work: Work, count: int) -> list[Document]:
    found: list[Document] = []
    async with aclosing(documents(work)) as listing:
        async for document in listing:
            found.append(document)
            if len(found) == count:
                break
    return found


async def post(client: httpx.AsyncClient, document: Document, reference: UUID) -> httpx.Response:
    """Send it as the sender does. Raises httpx.HTTPStatusError where it is not accepted."""
    params = {
        "administration": ADMINISTRATION,
        "direction": "SALE",
        "filename": f"{reference}.xml",
        "comment": f"{document.id} {reference}",
    }
    headers = {"Content-Type": "application/xml", "Idempotency-Key": str(reference)}
    answer = await client.post("/invoices", params=params, content=document.content, headers=headers)
    return answer.raise_for_status()
