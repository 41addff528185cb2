"""Resolving unknown outcomes: look up, judge, conclude. What cannot be asked now is asked later, and burns nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.errors import RowFault
from common.halves import in_halves
from common.invoice.move import Moved
from sender.domain.evidence import Case, Evidence, Finding, LookupFailed, Rules, judge, needs_lookup
from sender.ports import Destination, Key, Unknowns

log = structlog.get_logger()

Announce = Callable[[Sequence[Moved]], Awaitable[None]]

AT_ONCE = 8
_FIRST_QUIET = 1.0
_LONGEST_QUIET = 30.0
_NOT_NOW = LookupFailed("the destination is left alone, because the last lookup failed")


class Resolver:
    """Asks at most `at_once` references at a time, and after a failed lookup one alone, after a growing pause."""

    def __init__(
        self,
        unknowns: Unknowns,
        destination: Destination,
        rules: Rules,
        *,
        announce: Announce,
        at_once: int = AT_ONCE,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._unknowns = unknowns
        self._destination = destination
        self._rules = rules
        self._announce = announce
        self._at_once = at_once
        self._clock = clock
        self._quiet = 0.0
        self._quiet_until = 0.0

    async def __call__(self, keys: Sequence[Key]) -> None:
        """Work leased rows that are unknown."""
        cases = await self._unknowns.cases(keys)
        findings = [
            Finding(case, judge(case, evidence, self._rules, self._clock.chance))
            for case, evidence in await self._ask(cases)
        ]
        moved = await in_halves(findings, self._unknowns.conclude, self._leave)
        for finding in findings:
            log.info("unknown_judged", invoice=str(finding.case.id), verdict=str(finding.verdict))
        await self._announce(moved)

    async def _ask(self, cases: Sequence[Case]) -> list[tuple[Case, Evidence | None]]:
        answers: list[tuple[Case, Evidence | None]] = []
        waiting: list[Case] = []
        for case in cases:
            if needs_lookup(case, self._rules):
                waiting.append(case)
            else:
                answers.append((case, None))
        while waiting and self._clock.monotonic() >= self._quiet_until:
            together = 1 if self._quiet else self._at_once
            now, waiting = waiting[:together], waiting[together:]
            found = await asyncio.gather(*(self._destination.find(case.reference) for case in now))
            self._heed(found)
            answers += zip(now, found, strict=True)
        return answers + [(case, _NOT_NOW) for case in waiting]

    def _heed(self, found: Sequence[Evidence]) -> None:
        """One lookup that fails is enough to leave the destination alone for a while."""
        failed = next((evidence for evidence in found if isinstance(evidence, LookupFailed)), None)
        if failed is None:
            self._quiet = 0.0
            return
        self._quiet = min(max(self._quiet * 2, _FIRST_QUIET), _LONGEST_QUIET)
        self._quiet_until = self._clock.monotonic() + self._quiet
        log.warning("lookup_failed", why=failed.why, quiet_seconds=self._quiet)

    async def _leave(self, finding: Finding, fault: RowFault) -> Sequence[Moved]:
        """The database does not take this one: it keeps its timer and comes again, the others go on."""
        log.error("verdict_not_storable", invoice=str(finding.case.id), cause=str(fault))
        return []
