"""Judging what dry runs have listed: the verdict is kept with the item, and moves nothing."""

import asyncio
from collections.abc import Sequence

import structlog

from common.errors import ClearfactsError, RowFault
from common.halves import in_halves
from validator.domain import DryRunItem, DryRunVerdict, verdict_of, verdict_parked
from validator.ports import DryRunItems, Validate

log = structlog.get_logger()

AT_ONCE = 25
"""Small enough that a suspect of a real job, whose worker this is, does not wait."""
DEATHS = 3
ENDED = "the document ended its worker process three times"
_PAUSE = 1.0


class JudgeDryRuns:
    def __init__(self, items: DryRunItems, validate: Validate) -> None:
        self._items = items
        self._validate = validate

    async def run(self) -> None:
        """Look once a second, and go on at once while there is work."""
        while True:
            try:
                judged = await self.judge()
            except ClearfactsError as error:
                log.warning("dry_runs_not_judged", error=str(error))
                judged = 0
            if not judged:
                await asyncio.sleep(_PAUSE)

    async def judge(self) -> int:
        """Judge some items that nobody has in hand; how many there were."""
        items = await self._items.lease(AT_ONCE)
        await in_halves(items, self._judge_and_keep, self._park)
        return len(items)

    async def _judge_and_keep(self, items: Sequence[DryRunItem]) -> Sequence[DryRunItem]:
        judged = await self._validate([item.content for item in items])
        verdicts: list[DryRunVerdict] = []
        suspects: list[DryRunItem] = []
        for item, answer in zip(items, judged, strict=True):
            if answer is not None:
                verdicts.append(verdict_of(item, answer))
            elif item.deaths + 1 >= DEATHS:
                verdicts.append(verdict_parked(item, ENDED))
            else:
                suspects.append(item)
        await self._items.give_back(suspects)
        await self._items.keep(verdicts)
        return items

    async def _park(self, item: DryRunItem, fault: RowFault) -> Sequence[DryRunItem]:
        log.warning("dry_run_item_parked", item=str(item.id), cause=str(fault)[:200])
        await self._items.keep([verdict_parked(item, f"the verdict cannot be stored: {fault}")])
        return [item]
