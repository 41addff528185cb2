"""The look from outside: what the source lists, what our rows say, what the sandbox's durable log holds.

It shares no code with the balance proof of the fetcher, and trusts none of its counts.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx

from sandbox.oracle import Oracle


@dataclass(frozen=True, slots=True)
class Proof:
    """`lost` are listed ids without a row; `twice` are documents that the destination accepted more than once."""

    listed: int
    buckets: Mapping[str, int]
    lost: tuple[str, ...]
    open: int
    accepted: int
    twice: int
    sent_but_not_accepted: tuple[str, ...]
    accepted_but_unexplained: tuple[str, ...]

    @property
    def contradictions(self) -> list[str]:
        """One sentence each; empty means that nothing is lost and nothing went out twice."""
        return [
            text
            for bad, text in (
                (self.lost, f"lost: {len(self.lost)}, e.g. {self.lost[:3]}"),
                (self.open, f"still open: {self.open}"),
                (self.twice, f"accepted more than once: {self.twice}"),
                (self.sent_but_not_accepted, f"sent but not accepted: {self.sent_but_not_accepted[:3]}"),
                (self.accepted_but_unexplained, f"accepted but not sent or held: {self.accepted_but_unexplained[:3]}"),
            )
            if bad
        ]


async def prove(database_url: str, oracle: Path, listed: frozenset[str]) -> Proof:
    """Compare the ids in `listed` with the rows and with the log at `oracle`."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT invoice_id, status, reference::text, maybe_sent FROM invoices")
    finally:
        await connection.close()
    log = Oracle(oracle)
    accepted = {document.reference for document in log.accepted()}
    sent = {row["reference"] for row in rows if row["status"] == "sent"}
    explained = {row["reference"] for row in rows if row["status"] == "sent" or row["maybe_sent"]}
    buckets = Counter(row["status"] for row in rows)
    return Proof(
        listed=len(listed),
        buckets=buckets,
        lost=tuple(sorted(listed - {row["invoice_id"] for row in rows})),
        open=buckets["pending"],
        accepted=len(log.accepted()),
        twice=len(log.duplicates()),
        sent_but_not_accepted=tuple(sorted(sent - accepted)),
        accepted_but_unexplained=tuple(sorted(accepted - explained)),
    )


async def listed_ids(source_url: str, token: str) -> frozenset[str]:
    """All ids that the source lists now."""
    ids: set[str] = set()
    cursor: str | None = None
    async with httpx.AsyncClient(base_url=source_url, headers={"Authorization": f"Bearer {token}"}) as client:
        while True:
            answer = await client.get("/invoices", params={"limit": "1000", **({"cursor": cursor} if cursor else {})})
            page = answer.raise_for_status().json()
            ids.update(item["id"] for item in page["items"])
            cursor = page["next_cursor"]
            if cursor is None:
                return frozenset(ids)
