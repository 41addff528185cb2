"""Why an invoice stands where it stands, in one sentence. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from gateway.domain.readings import InvoiceDetail

_FAILED = {
    "invalid": "failed, because the document is not valid",
    "refused": "failed, because Clearfacts refused it",
    "exhausted": "failed, because Clearfacts did not take it for three days",
    "cancelled": "failed, because its job was cancelled",
    "force_refused": "failed, because it may not be forced now",
    "parked": "failed, because it could not be worked and was set aside",
    "abandoned": "was held, and a person gave it up",
}
_HELD = {
    "unknown_outcome": "is held for a person: it is not known whether Clearfacts accepted it",
    "changed_after_sent": "is held for a person: another version of it was already sent",
    "conflicting_version": "is held: another version of it is still on its way",
    "stated": "is held: a person found it at Clearfacts, which is being read back",
}
_PENDING = {
    "fetched": "waits to be validated",
    "validated": "is valid and waits to be sent",
    "sending": "is being sent right now",
    "unknown": "was sent without a clear answer, which is being looked into",
}


@dataclass(frozen=True, slots=True)
class Why:
    """`why`: one sentence, in which text of documents and of other systems has no control characters."""

    id: UUID
    why: str


def sentence(invoice: InvoiceDetail) -> str:
    """Begins with the number on the invoice, else the source's id; ends with a full stop."""
    return f"{_plain(invoice.number or invoice.invoice_id)} {_predicate(invoice)}."


def _predicate(invoice: InvoiceDetail) -> str:
    match invoice.status:
        case "sent":
            uuid = (invoice.clearfacts_response or {}).get("uuid")
            accepted = f" and accepted as {_plain(uuid)}" if uuid else ""
            return f"was sent to Clearfacts at {_moment(invoice.processed_at)}{accepted}"
        case "duplicate":
            twin = invoice.duplicate_of
            whose = f" of {_plain(twin.number or twin.invoice_id)} (row {twin.id}, {twin.status})" if twin else ""
            return f"is a duplicate{whose} and was not sent again"
        case "failed":
            return _with_error(_FAILED.get(invoice.reason or "", f"failed{_in_brackets(invoice.reason)}"), invoice)
        case "held":
            return _with_error(_HELD.get(invoice.reason or "", f"is held{_in_brackets(invoice.reason)}"), invoice)
        case _:
            return _pending(invoice)


def _in_brackets(reason: str | None) -> str:
    return f" ({_plain(reason)})" if reason else ""


def _with_error(text: str, invoice: InvoiceDetail) -> str:
    return f"{text}: {_plain(invoice.error).rstrip('.')}" if invoice.error else text


def _pending(invoice: InvoiceDetail) -> str:
    text = _PENDING.get(invoice.stage, f"is at the stage {invoice.stage}")
    next_at = f"; next look at {_moment(invoice.next_attempt_at)}" if invoice.next_attempt_at else ""
    return _with_error(text, invoice) + next_at


def _plain(value: object) -> str:
    return "".join(char if char.isprintable() else " " for char in str(value))


def _moment(at: datetime | None) -> str:
    return "-" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
