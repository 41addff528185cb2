"""The story of deliveries: for each endpoint with something due a worker of its own."""

import asyncio
from datetime import timedelta
from uuid import UUID

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.contracts.webhooks import key_id
from common.errors import ClearfactsError
from notifier.webhooks.ports import Outbox, Poster
from notifier.webhooks.rules import AT_ONCE, TROUBLED, Answer, Claim, Endpoint, NoAnswer, Settled, headers, mood, settle

log = structlog.get_logger()

LOOK_EVERY = 0.5
LOOK_AGAIN = 5.0
"""After so many seconds of a backlog its endpoint is read anew: it may be disabled, or have another secret."""
OTHER_KEY = "WEBHOOK_SIGNING_KEY is not the one under which this endpoint was registered"


class Deliver:
    """`lease` outlives a post: who dies with a claim leaves it to others. Without a key nothing is posted."""

    def __init__(
        self, outbox: Outbox, poster: Poster, *, key: str | None, lease: timedelta, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._outbox = outbox
        self._poster = poster
        self._key = key
        self._lease = lease
        self._clock = clock
        self._busy: set[UUID] = set()

    async def run(self) -> None:
        """Until cancelled; what is in flight then is left to its lease."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    for endpoint in await self._outbox.due():
                        if endpoint.id not in self._busy:
                            self._busy.add(endpoint.id)
                            tasks.create_task(self._work(endpoint))
                except ClearfactsError as error:
                    log.warning("webhooks_not_looked_for", error=str(error))
                await asyncio.sleep(LOOK_EVERY)

    async def _work(self, endpoint: Endpoint) -> None:
        try:
            until = self._clock.monotonic() + LOOK_AGAIN
            while await self.deliver(endpoint) == AT_ONCE and self._clock.monotonic() < until:
                pass
        except ClearfactsError as error:
            log.warning("webhooks_not_delivered", endpoint=str(endpoint.id), error=str(error))
        finally:
            self._busy.discard(endpoint.id)

    async def deliver(self, endpoint: Endpoint) -> int:
        """One batch; how many arrived."""
        most = 1 if endpoint.failures >= TROUBLED else AT_ONCE
        claims = await self._outbox.claim(endpoint, most, self._lease)
        if not claims:
            return 0
        results = await asyncio.gather(*(self._attempt(endpoint, claim) for claim in claims))
        felt = mood(endpoint, results, self._clock.chance)
        stopped = await self._outbox.settle(endpoint.id, results, felt)
        if stopped is not None:
            log.warning("webhook_endpoint_stopped", endpoint=str(endpoint.id), why=stopped)
        return felt.delivered

    async def _attempt(self, endpoint: Endpoint, claim: Claim) -> Settled:
        answer = await self._post(endpoint, claim)
        return settle(claim, answer, self._clock.now(), self._clock.chance)

    async def _post(self, endpoint: Endpoint, claim: Claim) -> Answer:
        if self._key is None or key_id(self._key) != endpoint.key_id:
            return NoAnswer(OTHER_KEY, timedelta(0))
        signed = headers(endpoint, claim, self._key, self._clock.now())
        return await self._poster.post(endpoint.url, claim.body.encode(), signed)
