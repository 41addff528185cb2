"""Whether an item may go again: decided by its row as it stands in the transaction that would move it."""

from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from common.invoice.stage import Reason, Stage
from gateway.domain.replays import MOST_REPLAYS_OF_A_RECORD, ItemRefusal, Outcome


@dataclass(frozen=True, slots=True)
class RowFacts:
    """An invoice row. `told` is the version of its latest move: a sweeper's lease adds to `version` alone.

    `placed`: it has a dossier and a key; `holder`: who has that key; `uuid`: of an acceptance; `replayed_*`: the
    latest replay that moved it.
    """

    id: UUID
    version: int
    told: int
    stage: str
    reason: str | None
    maybe_sent: bool
    archived: bool
    placed: bool
    holder: UUID | None
    uuid: str | None
    replayed_by: str | None
    replayed_version: int


@dataclass(frozen=True, slots=True)
class LetterFacts:
    id: UUID
    version: int
    status: str
    replay_id: UUID | None
    replay_count: int


@dataclass(frozen=True, slots=True)
class Go:
    """The item may move; a row goes to `to`."""

    to: Stage = Stage.FETCHED


Judgement: TypeAlias = Go | ItemRefusal

_NEVER_IN_BULK = {
    Stage.HELD: "it is held for a person: resolve it there",
    Stage.UNKNOWN: "its outcome is not known yet, and is being looked into",
}


def judge_row(item_id: UUID, frozen: int, row: RowFacts | None) -> Judgement:
    """`frozen`: the row's version when the list was frozen; a row that has moved since is not moved again."""
    if row is None:
        return ItemRefusal(item_id, Outcome.GONE, "there is no such row")
    if row.stage == Stage.SENT or row.uuid is not None:
        return ItemRefusal(item_id, Outcome.SENT_ALREADY, f"it was accepted as {row.uuid or 'unknown'}")
    if row.stage in _NEVER_IN_BULK:
        return ItemRefusal(item_id, Outcome.REFUSED, _NEVER_IN_BULK[Stage(row.stage)])
    if row.told > frozen or row.stage != Stage.FAILED:
        return _moved_since(item_id, frozen, row)
    return _judge_failed(row)


def _moved_since(item_id: UUID, frozen: int, row: RowFacts) -> ItemRefusal:
    where = "it failed again since" if row.stage == Stage.FAILED else f"it stands at {row.stage}"
    if row.replayed_version > frozen:
        return ItemRefusal(item_id, Outcome.ALREADY_REPLAYING, f"replay {row.replayed_by} took it; {where}")
    return ItemRefusal(item_id, Outcome.NOT_FAILED_ANY_MORE, where)


def _judge_failed(row: RowFacts) -> Judgement:
    if row.maybe_sent:
        return ItemRefusal(row.id, Outcome.REFUSED, "it may have been sent: that has to be resolved by evidence")
    if row.archived:
        return ItemRefusal(row.id, Outcome.REFUSED, "it is archived; restore it first")
    if row.holder not in {None, row.id}:
        return ItemRefusal(row.id, Outcome.SUPERSEDED, f"row {row.holder} has its key now")
    # What the destination refused was valid, and is sent again as it is; everything else is validated anew.
    return Go(Stage.VALIDATED if row.reason == Reason.REFUSED and row.placed else Stage.FETCHED)


def judge_letter(item_id: UUID, frozen: int, letter: LetterFacts | None) -> Judgement:
    """`frozen`: as for rows."""
    if letter is None:
        return ItemRefusal(item_id, Outcome.GONE, "there is no such record")
    if letter.status == "archived":
        return ItemRefusal(item_id, Outcome.REFUSED, "it is archived; restore it first")
    if letter.status != "dead" or letter.version != frozen:
        by = f"replay {letter.replay_id} took it" if letter.replay_id else "it was changed since"
        return ItemRefusal(item_id, Outcome.ALREADY_REPLAYING, f"{by}; it is {letter.status}")
    if letter.replay_count >= MOST_REPLAYS_OF_A_RECORD:
        why = f"it was replayed {letter.replay_count} times already; edit it or archive it"
        return ItemRefusal(item_id, Outcome.REFUSED, why)
    return Go()


def judge_announcement(item_id: UUID, announced: int, row: RowFacts | None) -> Judgement:
    """Announced again only where the row still stands at the version that the record tells of."""
    if row is None:
        return ItemRefusal(item_id, Outcome.GONE, "there is no such row")
    if row.version != announced:
        why = f"it stands at {row.stage} in version {row.version}, the record tells of {announced}"
        return ItemRefusal(item_id, Outcome.NOT_FAILED_ANY_MORE, why)
    return Go()
