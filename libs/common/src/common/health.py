"""Health that tells the truth: readiness asks what a request needs, liveness asks only this process's own loop."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from common.clock import SYSTEM_CLOCK, Clock
from common.observability import metrics

Check = Callable[[], Awaitable[bool]]

CHECK_TIMEOUT = 1.5
BEAT_EVERY = 0.5
LATE_AFTER = 5.0


@dataclass(slots=True)
class Health:
    """`checks` decide readiness; `beat` must be running for liveness."""

    checks: Mapping[str, Check]
    clock: Clock = field(default=SYSTEM_CLOCK)
    draining: bool = False
    _last_beat: float = 0.0

    async def beat(self) -> None:
        """Run for ever: the event loop's own pulse."""
        while True:
            self._last_beat = self.clock.monotonic()
            await asyncio.sleep(BEAT_EVERY)
            metrics.LOOP_LAG_SECONDS.set(max(0.0, self.clock.monotonic() - self._last_beat - BEAT_EVERY))

    async def readiness(self) -> dict[str, str]:
        """Each check's name with `up` or `down`, and `draining` while the process stops."""
        results = await asyncio.gather(*(self._ask(check) for check in self.checks.values()))
        states = {name: "up" if ok else "down" for name, ok in zip(self.checks, results, strict=True)}
        return {**states, "process": "draining"} if self.draining else states

    def alive(self) -> bool:
        return self.clock.monotonic() - self._last_beat < LATE_AFTER

    async def _ask(self, check: Check) -> bool:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                return await check()
        except TimeoutError:
            return False

    def routes(self) -> Sequence[Route]:
        """`/health/live`, `/health/ready`, `/metrics`."""

        async def live(_: Request) -> Response:
            return _answer({"loop": "up" if self.alive() else "down"})

        async def ready(_: Request) -> Response:
            return _answer(await self.readiness())

        async def prometheus(_: Request) -> Response:
            return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

        return [Route("/health/live", live), Route("/health/ready", ready), Route("/metrics", prometheus)]


def _answer(states: Mapping[str, str]) -> Response:
    ok = all(state == "up" for state in states.values())
    body: dict[str, Any] = {"status": "ok" if ok else "unavailable", "parts": dict(states)}
    return JSONResponse(body, status_code=200 if ok else 503)
