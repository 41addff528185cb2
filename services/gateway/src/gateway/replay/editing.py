"""The story of an edit: judged before it is stored, so that nothing goes again that would fail again."""

from dataclasses import asdict, dataclass, replace
from uuid import UUID

import structlog

from common.contracts.describe import EVENTS
from gateway.domain.access import Caller, User
from gateway.domain.editing import Edit, Edited, Target, known_topic, plain_findings
from gateway.domain.failures import Kind, Selection
from gateway.domain.faults import DocumentInvalid, NotFound
from gateway.domain.replays import ReplayOrder, Terms
from gateway.replay.orders import StartReplay
from gateway.replay.ports import AnnounceMoves, Documents, Edits, WhoIsOurs
from ubl.identity import Identity
from ubl.placing import Placed, Unplaced, place
from ubl.verdict import Finding

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class EditFailed:
    edits: Edits
    documents: Documents
    who_is_ours: WhoIsOurs
    announce: AnnounceMoves
    start: StartReplay

    async def __call__(self, item_id: UUID, edit: Edit, user: User, caller: Caller) -> Edited:
        """Store the new body, and let it go again where that is asked for.

        Raises NotFound, DocumentInvalid (nothing was stored), or NotAllowedNow where the item is not to be edited.
        """
        if (target := await self.edits.target(item_id)) is None:
            raise NotFound("failed_message", str(item_id))
        diff = await self.documents.difference(target.content, edit.content)
        if target.kind is Kind.RECORD:
            return await self._edit_record(target, edit, diff, user, caller)
        placed = await self._judged(target, edit.content)
        edited, moved = await self.edits.edit_row(item_id, edit, placed, diff, user, caller)
        await self.announce(moved)
        log.info("document_edited", invoice=str(item_id), number=edited.number, replayed=edit.replay)
        return edited

    async def _judged(self, target: Target, content: bytes) -> Placed:
        """Where the new document belongs; raises DocumentInvalid for one that would fail again."""
        verdict = await self.documents.validate(content)
        if not verdict.valid:
            raise _invalid(verdict.findings)
        (answer,) = await self.documents.identify([content])
        ours = await self.who_is_ours()
        # a document without numbers stays where it was
        placed = place(answer, replace(ours, default=target.dossier or ours.default), target.source_id)
        if isinstance(placed, Unplaced):
            raise _invalid((placed.finding,))
        assert isinstance(answer, Identity)  # noqa: S101 - a malformed document has no place
        return placed

    async def _edit_record(self, target: Target, edit: Edit, diff: str, user: User, caller: Caller) -> Edited:
        _readable(target, edit.content)
        edited = await self.edits.edit_record(target.id, edit, diff, user, caller)
        if not edit.replay:
            return edited
        order = ReplayOrder(Selection(ids=(target.id,)), edit.reason, Terms(canary=0))
        receipt = await self.start(order, user, caller, key=None)
        return replace(edited, replay_id=receipt.replay_id)


def _invalid(findings: tuple[Finding, ...]) -> DocumentInvalid:
    first = findings[0]
    message = f"The document would fail again: {first.rule}: {first.message}"
    return DocumentInvalid(message[:500], plain_findings(tuple(asdict(finding) for finding in findings)))


def _readable(target: Target, content: bytes) -> None:
    topic = known_topic(target.topic)
    if topic is None:
        raise DocumentInvalid(f"Nobody reads the topic {target.topic}")
    try:
        EVENTS[topic].model_validate_json(content)
    except ValueError as error:
        raise DocumentInvalid(f"It would still not be a {EVENTS[topic].__name__}: {_first_line(error)}") from None


def _first_line(error: ValueError) -> str:
    return " ".join(str(error).split())[:300]
