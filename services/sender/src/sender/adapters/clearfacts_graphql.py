"""The public Clearfacts API (docs/api/clearfacts-graphql.md): no key, no lookup; a document is read back by its uuid.

Its uploads are multipart parts named `query`, `variables` and `file`, which no GraphQL client for uploads sends.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, Self, TypeAlias
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import orjson

from common.clock import SYSTEM_CLOCK, Clock
from common.http.client import TRANSPORT_ERRORS, make_client, observed
from sender.adapters.answers import no_answer, silence
from sender.adapters.graphql_answers import read_administrations, read_document, read_upload, unwell
from sender.domain import Claim, Delivery, ReadBack
from sender.domain.evidence import Evidence, LookupFailed

API = "clearfacts"
KEEPALIVE = timedelta(seconds=15)
ENDPOINT = "/graphql"
_PROBE = "query probe { __typename }"
LONGEST_SOURCE_ID = 100
_ADMINISTRATIONS = 50
"""Of one question."""

CompanyField: TypeAlias = Literal["companyNumber", "vatnumber"]
"""The argument that names the administration; `vatnumber` is the older spelling and marked as deprecated."""


class GraphqlDestination:
    lookup = False
    idempotency_key: timedelta | None = None

    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        *,
        company_field: CompanyField,
        deadline: timedelta,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._client = client
        self._url = url
        self._plain = upload_mutation(company_field, journal=False)
        self._with_journal = upload_mutation(company_field, journal=True)
        self._deadline = deadline.total_seconds()
        self._clock = clock

    @classmethod
    def at(
        cls,
        url: str,
        *,
        token: str | None,
        connections: int,
        deadline: timedelta,
        keepalive: timedelta = KEEPALIVE,
        company_field: CompanyField = "companyNumber",
        clock: Clock = SYSTEM_CLOCK,
    ) -> Self:
        """The endpoint at `url` (`/graphql` where that names a host alone); `aclose` its connections."""
        client = make_client(base_url="", token=token, connections=connections, timeout=deadline, keepalive=keepalive)
        return cls(client, endpoint(url), company_field=company_field, deadline=deadline, clock=clock)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def deliver(self, claim: Claim) -> Delivery:
        """Upload the document once; what the answer proves decides, never the type of an exception."""
        async with observed(API, "uploadFile") as outcome:
            try:
                async with asyncio.timeout(self._deadline):
                    response = await self._client.post(self._url, files=self._parts(claim))
            except TimeoutError:
                return silence(self._deadline)
            except TRANSPORT_ERRORS as error:
                return no_answer(error)
            outcome.name = str(response.status_code)
        return read_upload(response, self._clock)

    async def find(self, reference: UUID) -> Evidence:
        """There is nothing to ask by."""
        return LookupFailed(f"the public API has no lookup by reference ({reference})")

    def _parts(self, claim: Claim) -> list[tuple[str, tuple[str | None, bytes] | tuple[str, bytes, str]]]:
        variables = {
            "company": claim.dossier,
            "filename": filename(claim),
            "comment": comment(claim),
            "invoicetype": claim.direction,
            **({"journal": claim.journal} if claim.journal else {}),
        }
        return [
            ("query", (None, (self._with_journal if claim.journal else self._plain).encode())),
            ("variables", (None, orjson.dumps(variables))),
            ("file", (filename(claim), claim.content, "application/xml")),
        ]

    async def probe(self) -> str | None:
        """Ask for the name of the schema's root, which reads nothing; why that was not answered, else None."""
        async with observed(API, "probe") as outcome:
            try:
                async with asyncio.timeout(self._deadline):
                    response = await self._client.post(self._url, json={"query": _PROBE})
            except (TimeoutError, *TRANSPORT_ERRORS) as error:
                return f"a probe was not answered: {type(error).__name__}: {error}"[:500]
            outcome.name = str(response.status_code)
        return unwell(response)

    async def unreachable(self, administrations: Sequence[str]) -> Sequence[str] | str:
        """Those that this token cannot read; a text where that was not answered."""
        missing: list[str] = []
        for start in range(0, len(administrations), _ADMINISTRATIONS):
            part = administrations[start : start + _ADMINISTRATIONS]
            async with observed(API, "administration") as outcome:
                try:
                    async with asyncio.timeout(self._deadline):
                        response = await self._client.post(self._url, json={"query": administrations_query(part)})
                except (TimeoutError, *TRANSPORT_ERRORS) as error:
                    return f"not answered: {type(error).__name__}: {error}"[:500]
                outcome.name = str(response.status_code)
            found = read_administrations(response, part)
            if isinstance(found, str):
                return found
            missing += found
        return missing

    async def read_back(self, uuid: str, reference: UUID) -> ReadBack:
        """Whether the document `uuid` is there and says that it is the sending of `reference`."""
        # a literal and no variable: it fits whether the schema says ID or String, and its escapes are those of JSON
        query = f"query readBack {{ document(id: {orjson.dumps(uuid).decode()}) {{ date comment }} }}"
        async with observed(API, "document") as outcome:
            try:
                async with asyncio.timeout(self._deadline):
                    response = await self._client.post(self._url, json={"query": query})
            except (TimeoutError, *TRANSPORT_ERRORS):
                return ReadBack.UNANSWERED
            outcome.name = str(response.status_code)
        return read_document(response, reference)


def endpoint(url: str) -> str:
    """`https://api.clearfacts.be` and `https://api.clearfacts.be/graphql` are the same endpoint."""
    return url if urlsplit(url).path.strip("/") else f"{url.rstrip('/')}{ENDPOINT}"


def administrations_query(numbers: Sequence[str]) -> str:
    """One field for each, named by its place: what this token may not read is null."""
    fields = [
        f"a{place}: administration(companyNumber: {orjson.dumps(number).decode()}) {{ companyNumber }}"
        for place, number in enumerate(numbers)
    ]
    return f"query administrations {{ {' '.join(fields)} }}"


def upload_mutation(company_field: CompanyField, *, journal: bool) -> str:
    """Never with `tags`: they are documented, and any upload that has them is lost ("Internal server error")."""
    declared = ", $journal: String" if journal else ""
    given = ", journal: $journal" if journal else ""
    return (
        "mutation upload($company: String!, $filename: String!, $comment: String, "
        f"$invoicetype: InvoiceTypeArgument!{declared}) {{ "
        f"uploadFile({company_field}: $company, filename: $filename, comment: $comment, invoicetype: $invoicetype"
        f"{given}) {{ uuid amountOfPages }} }}"
    )


def filename(claim: Claim) -> str:
    return f"{claim.reference}.xml"


def comment(claim: Claim) -> str:
    """Where a person, and `read_back`, find out whose document it is."""
    return f"{claim.source_id[:LONGEST_SOURCE_ID]} {claim.reference}"
