"""What callers may send. Unknown fields are refused: a misspelt filter must not return everything."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictBool,
    StringConstraints,
    model_validator,
)

from common.invoice.stage import Reason
from gateway.domain.access import Caller, Permission, Role, User
from gateway.domain.held import Decision, HeldFilter, Resolution
from gateway.domain.orders import Cancellation, Order, Receipt
from gateway.domain.previews import Outcome
from gateway.domain.readings import JobFilter, JobKind, JobState
from gateway.recovery.story import RecoveryOrder

NO_CONTROLS = r"^[^\x00-\x1f\x7f-\x9f]+$"
Line = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NO_CONTROLS)]
# The source takes several ids in one parameter, comma-separated: an id with a comma cannot be asked for.
RequestedId = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f-\x9f,]+$")]

EARLIEST, TOO_LATE = datetime(1970, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)


def _written_out(value: object) -> object:
    """Pydantic would take a bare number for seconds since 1970."""
    if isinstance(value, int | float) or (isinstance(value, str) and not re.match(r"\d{4}-", value)):
        raise ValueError("a date is written as in RFC 3339")
    return value


Day = Annotated[date, BeforeValidator(_written_out)]
Instant = Annotated[AwareDatetime, Field(ge=EARLIEST, lt=TOO_LATE), BeforeValidator(_written_out)]
"""Far from the ends of what a date can be: an hour more or less, or another zone, is still a date."""


class Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Login(Sent):
    username: Line
    password: Annotated[SecretStr, Field(min_length=1, max_length=1024)]


class ProcessRequest(Sent):
    force_processing: StrictBool = Field(
        default=False, description="send again what was sent or failed; needs `invoice_ids` and `reason`"
    )
    invoice_ids: Annotated[list[RequestedId], Field(min_length=1, max_length=1000)] | None = Field(
        default=None, description="the source's ids; without them everything new is processed"
    )
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=NO_CONTROLS)] | None = Field(
        default=None, description="why, for the audit log"
    )
    dry_run: StrictBool = Field(
        default=False, description="list, compare and validate, and say what would come of it; nothing is sent or kept"
    )

    @model_validator(mode="after")
    def _force_is_deliberate(self) -> "ProcessRequest":
        if self.force_processing and not (self.invoice_ids and self.reason):
            raise ValueError("force_processing needs invoice_ids and a reason")
        return self

    def order(self) -> Order:
        ids = tuple(dict.fromkeys(self.invoice_ids)) if self.invoice_ids else None
        return Order(self.force_processing, ids, self.reason, self.dry_run)


class Paging(Sent):
    limit: int = Field(default=50, ge=1, le=200)
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = Field(
        default=None, description="`next_cursor` of the page before, with the same filters"
    )


class JobQuery(Paging):
    status: JobState | None = None
    job_type: JobKind | None = None
    dry_run: bool = Field(default=False, description="dry runs instead of jobs")

    def chosen(self) -> JobFilter:
        return JobFilter(self.status, self.job_type, self.dry_run)


class PreviewQuery(Paging):
    outcome: Outcome | None = None


class HeldQuery(Paging):
    reason: Reason | None = None
    dossier: Line | None = None
    job_id: UUID | None = None

    def chosen(self) -> HeldFilter:
        return HeldFilter(self.reason, self.dossier, self.job_id)


class ResolveRequest(Sent):
    resolution: Resolution = Field(
        description="`found`: it is at Clearfacts as `uuid`; `not_there`: send it again; `abandon`: give this one up"
    )
    uuid: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")] | None = Field(
        default=None, description="the destination's own id of the document, for `found` only"
    )
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=NO_CONTROLS)] = Field(
        description="why, or how one knows: for the audit log and the invoice's history"
    )

    @model_validator(mode="after")
    def _uuid_goes_with_found(self) -> "ResolveRequest":
        if (self.resolution is Resolution.FOUND) != (self.uuid is not None):
            raise ValueError("uuid belongs to the resolution found, and only to that")
        return self

    def decision(self, user: User, caller: Caller, *, key: str | None) -> Decision:
        return Decision(self.resolution, self.reason, self.uuid, user, caller, key)


class RecoveryRequest(Sent):
    dry_run: StrictBool = Field(default=False, description="say what would be done")
    force: StrictBool = Field(default=False, description="although nothing seems forgotten; needs `reason`")
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=NO_CONTROLS)] | None = Field(
        default=None, description="why, for the audit log"
    )

    @model_validator(mode="after")
    def _force_is_deliberate(self) -> "RecoveryRequest":
        if self.force and not self.reason:
            raise ValueError("force needs a reason")
        return self

    def order(self) -> RecoveryOrder:
        return RecoveryOrder(self.dry_run, self.force, self.reason)


class Token(BaseModel):
    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a scheme's name
    expires_in: int = Field(description="seconds")


class Started(BaseModel):
    job_id: UUID
    status: Literal["pending"] = "pending"
    estimated_completion: datetime
    message: str = "Invoice processing job started"
    dry_run: bool = False

    @classmethod
    def of(cls, receipt: Receipt, *, dry_run: bool) -> "Started":
        id_, at = receipt.job_id, receipt.estimated_completion
        if not dry_run:
            return cls(job_id=id_, estimated_completion=at)
        return cls(job_id=id_, estimated_completion=at, dry_run=True, message="Dry run started: nothing will be sent")


class CancelledJob(BaseModel):
    job_id: UUID
    status: str
    cancelled_at: datetime | None
    repeated: bool = Field(description="it had been cancelled before; nothing changed now")
    message: str = "Nothing new is taken; what is open fails within seconds, what is being sent ends by itself"

    @classmethod
    def of(cls, found: Cancellation) -> "CancelledJob":
        return cls(job_id=found.job_id, status=found.status, cancelled_at=found.cancelled_at, repeated=found.repeated)


class Profile(BaseModel):
    id: UUID
    username: str
    email: str
    role: Role
    permissions: list[Permission]

    @classmethod
    def of(cls, user: User) -> "Profile":
        return cls(id=user.id, username=user.username, email=user.email, role=user.role, permissions=user.permissions)
