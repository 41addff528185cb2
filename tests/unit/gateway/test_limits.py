"""Each number of docs/limits.md is the one that the code keeps."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from limits import RateLimitItem

from common.db.webhooks import MOST_AGAIN
from common.observability.tracing import CORRELATION_ID_PATTERN
from fetcher.adapters.postgres_dry_run_pages import MOST_ITEMS as MOST_PREVIEWED
from gateway.adapters import argon2_passwords, limits_throttle
from gateway.adapters.es256_tokens import LONGEST_TOKEN
from gateway.adapters.failure_selection import SEARCHED
from gateway.adapters.postgres_dry_runs import MOST_CAUSES
from gateway.adapters.postgres_failures import MOST_GROUPS
from gateway.adapters.postgres_invoices import MOST_ENTRIES
from gateway.adapters.postgres_jobs import MOST_ERRORS
from gateway.adapters.ubl_comparison import LONGEST, MOST_CHANGES
from gateway.administering import LIMITS
from gateway.domain.orders import MOST_OPEN_DRY_RUNS, MOST_OPEN_JOBS
from gateway.domain.replays import MOST_ITEMS
from gateway.domain.users import LONGEST_PASSWORD, SHORTEST_PASSWORD
from gateway.domain.webhooks import LONGEST_REPLAY, MOST_ENDPOINTS
from gateway.routes.faults import MOST_FIELD_ERRORS
from gateway.routes.middleware import LONGEST_BODY, LONGEST_REQUEST, LONGEST_STREAM
from gateway.routes.openapi import document
from gateway.routes.schemas import EARLIEST, TOO_LATE
from gateway.settings import GatewaySettings
from notifier.adapters.webhook_rows import LOGGED
from tests.contract.schema import resolved

ROOT = Path(__file__).parents[3]
DESCRIBED: dict[str, Any] = json.loads(document())
DRY_RUN_KEPT: timedelta = GatewaySettings.model_fields["dry_run_kept"].default
ROWS: dict[str, str] = {
    cells[0]: cells[1]
    for line in (ROOT / "docs/limits.md").read_text(encoding="utf-8").splitlines()
    if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 3 and cells[0] not in {"limit", "---"}
}


def limit(schema: Any, keyword: str) -> int:
    """The keyword of the schema, or of the choice that has it."""
    schema = resolved(schema, DESCRIBED)
    found = [choice[keyword] for choice in (schema, *schema.get("anyOf", ())) if keyword in choice]
    assert len(found) == 1
    return int(found[0])


def of_field(model: str, field: str, keyword: str) -> int:
    return limit(DESCRIBED["components"]["schemas"][model]["properties"][field], keyword)


def of_parameter(path: str, method: str, name: str, keyword: str) -> int:
    (found,) = [one for one in DESCRIBED["paths"][path][method]["parameters"] if one.get("name") == name]
    return limit(found["schema"], keyword)


def setting(name: str) -> int:
    return int(GatewaySettings.model_fields[name].default)


def window(item: RateLimitItem) -> str:
    return f"{item.amount} in {item.get_expiry() // 60} minutes"


INVOICES, PROCESS = "/api/v1/invoices", "/api/v1/invoices/process"
IDS = resolved(DESCRIBED["components"]["schemas"]["ProcessRequest"]["properties"]["invoice_ids"], DESCRIBED)
SAID: dict[str, str] = {
    "request body": f"{LONGEST_BODY // 2**20} MiB",
    "time for an answer, the sending of the body included": f"{LONGEST_REQUEST:g} s",
    "time for a file that is streamed": f"{LONGEST_STREAM:g} s",
    "`Idempotency-Key`": f"{of_parameter(PROCESS, 'post', 'Idempotency-Key', 'maxLength')} printable ASCII characters",
    "access token": f"{LONGEST_TOKEN} bytes",
    "text in a filter (number, id, name)": f"{of_parameter(INVOICES, 'get', 'number', 'maxLength')} characters",
    "`reason`": f"{of_field('WhyRequest', 'reason', 'maxLength')} characters",
    "fields listed in one `VALIDATION_ERROR`": f"{MOST_FIELD_ERRORS}",
    "cursor": f"{of_parameter(INVOICES, 'get', 'cursor', 'maxLength')} characters",
    "rows of one export (`EXPORT_ROWS`)": f"{setting('export_rows'):,}",
    "errors shown of a job": f"{MOST_ERRORS}",
    "timeline and attempts shown of an invoice": f"{MOST_ENTRIES}",
    "fields shown that differ between two versions": f"{MOST_CHANGES}",
    "documents that are compared": f"{LONGEST // 2**20} MiB each",
    "failures looked through for a text": f"{SEARCHED:,}",
    "groups of failures": f"{MOST_GROUPS}",
    "open jobs of one user": f"{MOST_OPEN_JOBS}",
    "open dry runs of one user": f"{MOST_OPEN_DRY_RUNS}",
    "invoices of a dry run": f"{MOST_PREVIEWED:,}",
    "causes shown of a dry run": f"{MOST_CAUSES}",
    "life of a dry run (`DRY_RUN_KEPT`)": f"{DRY_RUN_KEPT.total_seconds():,.0f} s",
    "`ids` of a selection": f"{of_field('ChosenBody', 'ids', 'maxItems'):,}",
    "items of a replay": f"{MOST_ITEMS:,}",
    "canary of a replay": f"{of_field('ReplayRequest', 'canary', 'maximum')} items, "
    f"{of_field('ReplayRequest', 'canary_seconds', 'maximum')} s",
    "rate of a replay": f"{of_field('ReplayRequest', 'rate', 'maximum'):,} items a second",
    "live streams of one user, per replica (`EVENT_STREAMS_PER_USER`)": f"{setting('event_streams_per_user')}",
    "live streams of everybody, per replica (`EVENT_STREAMS`)": f"{setting('event_streams')}",
    "failures of a name from an address": window(limits_throttle.PER_NAME_AND_ADDRESS),
    "failures from an address": window(limits_throttle.PER_ADDRESS),
    "failures of a name": window(limits_throttle.PER_NAME),
    "passwords checked at once, per replica": f"{argon2_passwords.AT_ONCE}, and {argon2_passwords.WAITING} wait",
    "password at sign-in": f"{of_field('Login', 'password', 'maxLength'):,} characters",
    "new password": f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters",
    "life of an access token (`ACCESS_TOKEN_SECONDS`)": f"{setting('access_token_seconds')} s",
    "endpoints of webhooks": f"{MOST_ENDPOINTS}",
    "address of a webhook": f"{of_field('RegisterWebhookRequest', 'url', 'maxLength'):,} characters",
    "overlap of two secrets of a webhook": f"{of_field('RotateRequest', 'overlap_seconds', 'maximum'):,} s",
    "deliveries that one replay of webhooks brings": f"{MOST_AGAIN:,}, of {LONGEST_REPLAY.days} days",
    "attempts shown of a delivery": f"{LOGGED}",
    "life of a live stream": f"{setting('access_token_seconds')} s",
    "page": f"{of_parameter(INVOICES, 'get', 'limit', 'maximum')} rows, "
    f"{of_parameter(INVOICES, 'get', 'limit', 'default')} where nothing is said",
    "`invoice_ids` of a job": f"{limit(IDS, 'maxItems'):,}, each "
    f"{next(choice for choice in IDS['anyOf'] if 'items' in choice)['items']['maxLength']} characters",
    "instants": f"{EARLIEST.year} to {TOO_LATE.year - 1}",
    "`X-Correlation-ID`": "{1} to {2} of `{0}`".format(
        *re.fullmatch(r"\^\[(.+)\]\{(\d+),(\d+)\}.*", CORRELATION_ID_PATTERN.pattern).groups()  # type: ignore[union-attr]
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_the_page_says_what_the_code_keeps(name: str) -> None:
    assert ROWS.get(name) == SAID[name]


def test_the_page_says_nothing_that_is_not_tested() -> None:
    assert ROWS.keys() == SAID.keys()


def test_what_the_web_interface_is_told_are_the_same_numbers() -> None:
    assert {
        "body_bytes": LONGEST_BODY,
        "page_size": of_parameter(INVOICES, "get", "limit", "maximum"),
        "invoice_ids": limit(IDS, "maxItems"),
        "replay_items": MOST_ITEMS,
    } == LIMITS
