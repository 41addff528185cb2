"""Examples for the description. The invoice is document 1 of the sandbox's corpus 7; a test compares the two."""

from collections.abc import Mapping
from typing import Any

from common.contracts.topics import Topic

JOB, ROW, USER, REPLAY = (f"0192f0c1-2f00-7000-8000-00000000000{n}" for n in range(1, 5))
DOSSIER, SOURCE_ID, GROUP = "0123456749", "7-000000001", "9f86d081884c7d65"
_REFERENCE = "054e69d4-1cf9-5355-9068-5d9810b25768"
_UUID = "6f1f5d7e-2f4f-4f0e-9a59-52f7ad6b2f11"
_WHY = "The supplier sent a corrected file"

PARAMETERS: Mapping[str, Any] = {
    "Idempotency-Key": "nightly-2026-11-24",
    "job_id": JOB,
    "row_id": ROW,
    "replay_id": REPLAY,
    "webhook_id": ROW,
    "delivery_id": ROW,
    "dossier": DOSSIER,
    "number": "VKF-2026-7-0000001",
    "invoice_id": SOURCE_ID,
}

ERROR: Mapping[str, Any] = {
    "success": False,
    "error": {"code": "NOT_FOUND", "message": "No such job", "details": {"job": JOB}},
    "timestamp": "2026-11-24T01:00:05.250000Z",
    "correlation_id": "b1c7a6de-6f0e-4a39-9d0e-0f6a3f3c9a11",
}

REQUESTS: Mapping[str, Mapping[str, Any]] = {
    "auth_login": {"usual": {"username": "an.peeters", "password": "correct horse battery staple"}},
    "jobs_process": {
        "everything new": {},
        "only say what would come of it": {"dry_run": True},
        "once more": {"force_processing": True, "invoice_ids": [SOURCE_ID], "reason": _WHY},
    },
    "jobs_cancel": {"usual": {"reason": "The source lists test documents"}},
    "jobs_retry_failed": {"usual": {"reason": "Clearfacts mended it"}},
    "users_create": {
        "an operator": {
            "username": "an.peeters",
            "email": "an.peeters@example.be",
            "password": "correct horse battery staple",
            "role": "operator",
        }
    },
    "users_change": {"out at once": {"is_active": False}},
    "users_password": {"usual": {"password": "another horse battery staple"}},
    "configuration_set": {"usual": {"value": 8, "expected_version": 0, "reason": "Clearfacts asked for less at once"}},
    "configuration_rollback": {"as before": {"to_version": 0, "expected_version": 1, "reason": "It is over"}},
    "held_resolve_held": {
        "found": {"resolution": "found", "uuid": _UUID, "reason": "Seen in the inbox of the books"},
        "not there": {"resolution": "not_there", "reason": "Asked the accountant: not in the books"},
    },
    "switches_pause": {"one administration": {"service": "sender", "administration": DOSSIER, "reason": "Audit week"}},
    "switches_resume": {"one administration": {"service": "sender", "administration": DOSSIER, "reason": "It is over"}},
    "operations_report": {
        "the night": {
            "kind": "night_missing",
            "subject": "daily:2026-11-24",
            "severity": "critical",
            "details": {"why": "the run was killed", "do": "start it again in Dagster"},
        }
    },
    "operations_close_alert": {"usual": {"reason": "The second document was deleted at Clearfacts"}},
    "webhooks_register": {
        "outcomes": {
            "url": "https://hooks.example.com/clearfacts",
            "events": ["invoice.sent", "invoice.failed", "invoice.held"],
            "description": "ERP of the accountant",
        }
    },
    "webhooks_change": {"another address": {"url": "https://hooks.example.com/v2/clearfacts"}},
    "webhooks_rotate": {"a day of both": {"overlap_seconds": 86400, "reason": "Yearly"}},
    "webhooks_replay": {"since midnight": {"since": "2026-11-24T00:00:00Z"}},
    "webhooks_control": {"usual": {"reason": "Maintenance of the receiver"}},
    "recovery_run": {"dry run": {"dry_run": True}},
    "failed_edit": {
        "text": {"document": "<Invoice>...</Invoice>", "version": 2, "replay": True, "reason": "Total mended"}
    },
    "failed_archive": {"one cause": {"selection": {"group": GROUP}, "reason": "Test documents of the supplier"}},
    "failed_restore": {"one cause": {"selection": {"group": GROUP, "archived": True}, "reason": "They were real"}},
    "replays_rehearsal": {"one cause": {"selection": {"group": GROUP}}},
    "replays_start": {
        "one cause": {"selection": {"group": GROUP}, "reason": "Clearfacts mended it", "canary": 3, "rate": 20},
        "a window of a topic": {
            "window": {"topic": Topic.INVOICES_VALIDATED.value, "partition": 0, "first": 1200, "last": 1299},
            "reason": "Announcements were lost",
        },
    },
    "replays_control": {"usual": {"reason": "Too many fail again"}},
}

_OF_THE_DOCUMENT = (
    "invoice_id", "dossier", "direction", "kind", "number", "issue_date", "supplier", "supplier_name", "customer",
    "customer_name", "currency", "amount",
)  # fmt: skip
SUMMARY: Mapping[str, Any] = {
    "id": ROW,
    "invoice_id": SOURCE_ID,
    "job_id": JOB,
    "status": "sent",
    "stage": "sent",
    "reason": None,
    "error": None,
    "dossier": DOSSIER,
    "direction": "SALE",
    "kind": "invoice",
    "number": "VKF-2026-7-0000001",
    "issue_date": "2026-01-01",
    "supplier": "0123456749",
    "supplier_name": "Atelier Zuid BV",
    "customer": "0161173715",
    "customer_name": "Maes Informatique VOF",
    "currency": "EUR",
    "amount": "694.84",
    "created_at": "2026-11-24T01:00:05Z",
    "updated_at": "2026-11-24T01:00:07Z",
    "processed_at": "2026-11-24T01:00:07Z",
}
_ATTEMPT: Mapping[str, Any] = {
    "kind": "attempted",
    "at": "2026-11-24T01:00:06Z",
    "version": 3,
    "number": 7,
    "reference": _REFERENCE,
    "lease_until": "2026-11-24T01:01:36Z",
    "ended_at": "2026-11-24T01:00:07Z",
    "outcome": "accepted",
    "uuid": _UUID,
    "response": {"uuid": _UUID, "amountOfPages": 1},
    "absent": 0,
    "looked_up_at": None,
}


def _moved(version: int, second: int, stage: str, actor: str) -> dict[str, Any]:
    at = f"2026-11-24T01:00:0{second}Z"
    common = {"kind": "moved", "at": at, "version": version, "stage": stage, "actor": actor}
    return common | {"reason": None, "details": None}


DETAIL: Mapping[str, Any] = SUMMARY | {
    "version": 4,
    "maybe_sent": False,
    "next_attempt_at": None,
    "modified_at": "2026-01-05T06:00:07Z",
    "dedupe_key": "0123456749|SALE|0123456749|0161173715|380|vkf-2026-7-0000001|2026",
    "generation": 0,
    "reference": _REFERENCE,
    "content_sha256": "332e21244edd90c909dcb55535594211349f17a59c8cb4deede6fdd7cd1fe491",
    "raw_sha256": "f041c0985f58795720f0a77a9ae67ce1332947f40c44241115acadeba0563191",
    "clearfacts_response": {"uuid": _UUID, "amountOfPages": 1},
    "findings": [],
    "duplicate_of": None,
    "timeline": [
        _moved(1, 5, "fetched", "fetcher"),
        _moved(2, 6, "validated", "validator"),
        _moved(3, 6, "sending", "sender"),
        _ATTEMPT,
        _moved(4, 7, "sent", "sender"),
    ],
    "attempts": [_ATTEMPT],
    "validation": {"ruleset": "basic", "valid": True, "findings": []},
}

_JOB_SUMMARY: Mapping[str, Any] = {
    "job_id": JOB,
    "job_type": "scheduled",
    "status": "completed",
    "created_at": "2026-11-24T01:00:00Z",
    "started_at": "2026-11-24T01:00:00Z",
    "completed_at": "2026-11-24T01:05:00Z",
    "duration_seconds": 300,
    "results": {
        "total_invoices": 25,
        "processed": 23,
        "failed": 1,
        "duplicates": 1,
        "held": 0,
        "open": 0,
        "amounts": {"sent": {"EUR": "18420.55"}, "failed": {"EUR": "694.84"}},
    },
    "error": None,
    "triggered_by": None,
    "force_processing": False,
    "reason": None,
    "correlation_id": "b1c7a6de-6f0e-4a39-9d0e-0f6a3f3c9a11",
    "dry_run": False,
    "preview": None,
}
_TROUBLE: Mapping[str, Any] = {
    "invoice_id": "7-000000009",
    "error": "BR-CO-15: the total with VAT is not the total without it plus the VAT",
    "timestamp": "2026-11-24T01:02:00Z",
    "id": USER,
    "status": "failed",
    "reason": "invalid",
}
_PREVIEWED: Mapping[str, Any] = {
    **{name: SUMMARY[name] for name in _OF_THE_DOCUMENT},
    "id": USER,
    "outcome": "would_fail",
    "reason": "invalid",
    "error": _TROUBLE["error"],
    "twin": None,
}
_PAUSE: Mapping[str, Any] = {
    "service": "sender",
    "administration": DOSSIER,
    "reason": "Audit week",
    "actor": "an.peeters",
    "at": "2026-11-24T08:00:00Z",
}


def _page(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"items": [item], "next_cursor": None}


RESPONSES: Mapping[str, Any] = {
    "auth_login": {
        "access_token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9...",
        "token_type": "bearer",
        "expires_in": 3600,
    },
    "auth_me": {
        "id": USER,
        "username": "an.peeters",
        "email": "an.peeters@example.be",
        "role": "user",
        "permissions": ["invoices:read", "jobs:read", "profile:read"],
    },
    "jobs_process": {
        "job_id": JOB,
        "status": "pending",
        "estimated_completion": "2026-11-24T01:05:00Z",
        "message": "Invoice processing job started",
        "dry_run": False,
    },
    "jobs_list": _page(_JOB_SUMMARY),
    "jobs_get": _JOB_SUMMARY
    | {
        "listed_at": "2026-11-24T01:00:20Z",
        "invoice_ids": None,
        "errors": [_TROUBLE],
        "cancelled_at": None,
        "estimated_completion": None,
        "errors_total": 1,
        "errors_link": f"/api/v1/failed-messages?job_id={JOB}",
        "held_link": None,
        "preview_causes": [],
        "preview_link": None,
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
    },
    "jobs_preview": _page(_PREVIEWED),
    "invoices_list": _page(SUMMARY),
    "invoices_get": DETAIL,
    "invoices_why": {"id": ROW, "why": "VKF-2026-7-0000001 is at Clearfacts."},
    "switches_pause": {"changed": True, "items": [_PAUSE]},
    "replays_start": {"replay_id": REPLAY, "total": 12, "state": "running"},
}
