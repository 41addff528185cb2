"""The destination port: one suite on the fake and on the real adapter against the sandbox's Clearfacts."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from uuid import UUID, uuid4

import pytest

from sandbox.destination import Destination as SandboxDestination
from sandbox.faults import Behaviour, Effect, Rule
from sandbox.invoices import document
from sandbox.ledger import Ledger
from sandbox.web import listening
from sender.adapters.clearfacts_graphql import GraphqlDestination
from sender.adapters.clearfacts_rest import RestDestination
from sender.domain import Accepted, Claim, NotAccepted, OutcomeUnknown, Refused
from sender.domain.evidence import Absent, Found, LookupFailed
from sender.ports import Destination
from tests.contract.destination.fake import MemoryDestination

DEADLINE = 0.5
Transport: TypeAlias = type[RestDestination] | type[GraphqlDestination]
TOKEN = "secret-of-the-test"
UBL = document(1, 1).ubl


def claim(reference: UUID | None = None, **changes: Any) -> Claim:
    values: dict[str, Any] = {
        "id": uuid4(),
        "version": 2,
        "attempt": 1,
        "reference": reference or uuid4(),
        "source_id": "INV é/1&x=2",
        "dossier": "0123456749",
        "direction": "SALE",
        "kind": "invoice",
        "journal": None,
        "content": UBL,
        "lease_ends": 1e12,
    }
    return Claim(**values | changes)


class Desk(Protocol):
    """A destination that plays an effect, and what it has."""

    @property
    def destination(self) -> Destination: ...

    def play(self, effect: Effect, *, seconds: float = 0.0, retry_after: int | None = None) -> None: ...

    def play_lookups(self, effect: Effect) -> None: ...

    def has(self, reference: UUID) -> int: ...

    def calls(self) -> int: ...


@dataclass(slots=True)
class FakeDesk:
    destination: MemoryDestination

    def play(self, effect: Effect, *, seconds: float = 0.0, retry_after: int | None = None) -> None:
        self.destination.effect, self.destination.seconds = effect, seconds
        self.destination.retry_after = 1 if retry_after is None else retry_after

    def play_lookups(self, effect: Effect) -> None:
        self.destination.lookup_effect = effect

    def has(self, reference: UUID) -> int:
        return int(reference in self.destination.accepted)

    def calls(self) -> int:
        return self.destination.calls


@dataclass(slots=True)
class RealDesk:
    destination: RestDestination | GraphqlDestination
    sandbox: SandboxDestination
    ledger: Ledger

    def play(self, effect: Effect, *, seconds: float = 0.0, retry_after: int | None = None) -> None:
        rule = Rule(effect=effect, seconds=seconds, retry_after=retry_after)
        self.sandbox.player.play(Behaviour(rules=(rule,)))

    def play_lookups(self, effect: Effect) -> None:
        rule = Rule(effect=effect, on="get", seconds=DEADLINE * 2 if effect is Effect.SLOW else 0)
        self.sandbox.player.play(Behaviour(rules=(rule,)))

    def has(self, reference: UUID) -> int:
        return len(self.ledger.find(str(reference)))

    def calls(self) -> int:
        return self.sandbox.counts["posts"]


@asynccontextmanager
async def real_desk(folder: Path, kind: Transport) -> AsyncGenerator[Desk]:
    ledger = Ledger(folder / "oracle.jsonl")
    sandbox = SandboxDestination(ledger, token=TOKEN)
    try:
        async with listening(sandbox.routes()) as url:
            deadline = timedelta(seconds=DEADLINE)
            async with aclosing(kind.at(url, token=TOKEN, connections=4, deadline=deadline)) as destination:
                yield RealDesk(destination, sandbox, ledger)
    finally:
        ledger.close()


@asynccontextmanager
async def fake_desk(_: Path) -> AsyncGenerator[Desk]:
    yield FakeDesk(MemoryDestination(deadline=DEADLINE))


MakeDesk: TypeAlias = Callable[[Path], Any]
rest_desk: MakeDesk = partial(real_desk, kind=RestDestination)
graphql_desk: MakeDesk = partial(real_desk, kind=GraphqlDestination)


@pytest.fixture(params=[fake_desk, rest_desk, graphql_desk], ids=["fake", "rest", "graphql"])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Desk]:
    make: MakeDesk = request.param
    async with make(tmp_path) as made:
        yield made


@pytest.fixture(params=[fake_desk, rest_desk], ids=["fake", "rest"])
async def keyed_desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Desk]:
    """A destination that knows a reference again."""
    make: MakeDesk = request.param
    async with make(tmp_path) as made:
        yield made


async def test_a_document_is_accepted_once_under_its_reference(desk: Desk) -> None:
    sent = claim()
    delivery = await desk.destination.deliver(sent)
    assert isinstance(delivery, Accepted)
    assert delivery.response == {"uuid": delivery.uuid, "amountOfPages": 1}
    assert desk.has(sent.reference) == 1


async def test_the_same_reference_again_is_the_same_acceptance(keyed_desk: Desk) -> None:
    sent = claim()
    first = await keyed_desk.destination.deliver(sent)
    assert await keyed_desk.destination.deliver(sent) == first
    assert keyed_desk.has(sent.reference) == 1


@pytest.mark.parametrize("effect", [Effect.REFUSE, Effect.BAD_REQUEST, Effect.TOO_LARGE])
async def test_an_answer_that_names_the_document_refuses_it(desk: Desk, effect: Effect) -> None:
    desk.play(effect)
    sent = claim()
    delivery = await desk.destination.deliver(sent)
    assert isinstance(delivery, Refused)
    assert delivery.code
    assert delivery.message
    assert delivery.response
    assert desk.has(sent.reference) == 0


@pytest.mark.parametrize("effect", [Effect.TOO_MANY, Effect.UNAVAILABLE])
async def test_retry_after_proves_non_acceptance_and_stops_everybody(desk: Desk, effect: Effect) -> None:
    desk.play(effect, retry_after=7)
    sent = claim()
    delivery = await desk.destination.deliver(sent)
    assert isinstance(delivery, NotAccepted)
    assert (delivery.wait, delivery.everyone) == (timedelta(seconds=7), True)
    assert delivery.throttled is (effect is Effect.TOO_MANY)
    assert desk.has(sent.reference) == 0


@pytest.mark.parametrize("effect", [Effect.UNAUTHORIZED, Effect.FORBIDDEN])
async def test_a_token_that_does_not_work_stops_everybody_and_fails_nobody(desk: Desk, effect: Effect) -> None:
    desk.play(effect)
    sent = claim()
    delivery = await desk.destination.deliver(sent)
    assert isinstance(delivery, NotAccepted)
    assert (delivery.wait, delivery.everyone) == (None, True)
    assert desk.has(sent.reference) == 0


UNCLEAR = [
    (Effect.CONFLICT, 0.0, 0),
    (Effect.SERVER_ERROR, 0.0, 0),
    (Effect.SERVER_ERROR_AFTER, 0.0, 1),
    (Effect.BAD_GATEWAY, 0.0, 0),
    (Effect.RESET_BEFORE, 0.0, 0),
    (Effect.RESET_AFTER, 0.0, 1),
    (Effect.HANG_BEFORE, 0.0, 0),
    (Effect.HANG_AFTER, 0.0, 1),
    (Effect.GARBAGE, 0.0, 1),
    (Effect.NULL_DATA, 0.0, 1),
    (Effect.CUT, 0.0, 1),
    (Effect.SLOW, DEADLINE * 2, 1),
]


@pytest.mark.parametrize(("effect", "seconds", "has"), UNCLEAR, ids=[effect for effect, *_ in UNCLEAR])
async def test_without_proof_either_way_the_outcome_is_unknown(
    desk: Desk, effect: Effect, seconds: float, has: int
) -> None:
    desk.play(effect, seconds=seconds)
    sent = claim()
    delivery = await desk.destination.deliver(sent)
    assert isinstance(delivery, OutcomeUnknown), delivery
    assert delivery.everyone is (effect not in {Effect.CONFLICT, Effect.GARBAGE, Effect.NULL_DATA})
    assert desk.has(sent.reference) == has
    assert desk.calls() == 1, "nothing below may try again"


@pytest.mark.parametrize("effect", [Effect.SLOW, Effect.LATE_ACCEPT])
async def test_a_late_answer_within_the_deadline_is_an_answer(desk: Desk, effect: Effect) -> None:
    desk.play(effect, seconds=DEADLINE / 5)
    sent = claim()
    assert isinstance(await desk.destination.deliver(sent), Accepted)
    assert desk.has(sent.reference) == 1


async def test_it_says_that_it_can_be_asked_and_how_long_a_key_lives(keyed_desk: Desk) -> None:
    assert keyed_desk.destination.lookup is True
    assert keyed_desk.destination.idempotency_key == timedelta(hours=24)


async def test_already_exists_says_that_it_is_there(keyed_desk: Desk) -> None:
    keyed_desk.play(Effect.CONFLICT)
    delivery = await keyed_desk.destination.deliver(claim())
    assert isinstance(delivery, OutcomeUnknown)
    assert delivery.exists


async def test_what_was_accepted_is_found_by_its_reference(keyed_desk: Desk) -> None:
    sent = claim()
    delivery = await keyed_desk.destination.deliver(sent)
    assert isinstance(delivery, Accepted)
    assert await keyed_desk.destination.find(sent.reference) == Found((delivery.uuid,))


async def test_what_was_accepted_and_not_answered_is_found_too(keyed_desk: Desk) -> None:
    keyed_desk.play(Effect.RESET_AFTER)
    sent = claim()
    assert isinstance(await keyed_desk.destination.deliver(sent), OutcomeUnknown)
    assert isinstance(await keyed_desk.destination.find(sent.reference), Found)


async def test_what_never_arrived_is_absent(keyed_desk: Desk) -> None:
    assert await keyed_desk.destination.find(uuid4()) == Absent()


NO_EVIDENCE = [
    Effect.BAD_REQUEST, Effect.UNAUTHORIZED, Effect.FORBIDDEN, Effect.TOO_MANY, Effect.SERVER_ERROR,
    Effect.UNAVAILABLE, Effect.BAD_GATEWAY, Effect.RESET_BEFORE, Effect.HANG_BEFORE, Effect.GARBAGE, Effect.NULL_DATA,
    Effect.CUT, Effect.SLOW,
]  # fmt: skip


@pytest.mark.parametrize("effect", NO_EVIDENCE)
async def test_a_lookup_that_is_not_answered_as_promised_is_no_evidence(keyed_desk: Desk, effect: Effect) -> None:
    sent = claim()
    await keyed_desk.destination.deliver(sent)
    keyed_desk.play_lookups(effect)
    assert isinstance(await keyed_desk.destination.find(sent.reference), LookupFailed)
