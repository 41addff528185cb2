"""Schemathesis over the whole description: what it is told, and the few failures of its checks that are none."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder

from gateway.routes.openapi import document

SEED = 20261124
NOT_ASKED: Mapping[str, str] = {
    "recovery_run": "without a broker it waits for it; tests/integration/gateway runs it with one",
}
ADMITTED: Mapping[tuple[str, str], str] = {
    ("positive_data_acceptance", "CURSOR_INVALID"): "cursors are signed: nobody can make one up",
    ("positive_data_acceptance", "IDEMPOTENCY_KEY_REUSED"): "many bodies are sent with the one key of the example",
    ("positive_data_acceptance", "DOCUMENT_INVALID"): "no JSON schema says what a valid invoice is",
    ("positive_data_acceptance", "value_error"): "a rule between fields, which the description says in words",
    ("positive_data_acceptance", "before_since"): "a rule between fields as well",
    ("positive_data_acceptance", "configuration_value"): "each key says what it takes: configuration_get",
    (
        "positive_data_acceptance",
        "greater_than_equal",
    ): "instants lie between 1970 and 3000, which is no schema's to say",
    ("positive_data_acceptance", "less_than"): "as before",
    ("negative_data_rejection", "in header - object with unexpected properties"): "any proxy adds a header",
    ("unsupported_method", "path.row_id"): "`process` could be a row's id: the method is that of another operation",
    ("unsupported_method", "path.replay_id"): "as `rehearsal` could be a replay's",
    ("unsupported_method", "path.action"): "and `items` what is to be done with one",
    ("allow_header_conformance", "METHOD_NOT_ALLOWED"): "for the same paths, and truly: they take the other method",
}
"""Check and code (of the error, its reason or its field, or a part of the failure): why it is none."""


@dataclass
class Walk:
    """What came of it: failures as lines, and per operation how often it was answered with which status."""

    failures: list[str] = field(default_factory=list[str])
    answered: dict[str, Counter[int]] = field(default_factory=dict[str, Counter[int]])

    def note(self, recorder: ScenarioRecorder) -> None:
        for case_id, interaction in recorder.interactions.items():
            if interaction.response is not None:
                name = recorder.cases[case_id].value.operation.definition.raw["operationId"]
                self.answered.setdefault(name, Counter())[interaction.response.status_code] += 1
        for case_id, checks in recorder.checks.items():
            answer = recorder.interactions[case_id].response
            for check in checks:
                info = check.failure_info
                if info is not None and not _admitted(check.name, str(info.failure), answer.text if answer else ""):
                    self.failures.append(f"{check.name}: {info.failure}\n{info.code_sample}\n{answer and answer.text}")


def walk(url: str, headers: Mapping[str, str], phases: Mapping[str, Any]) -> Walk:
    """Every operation but those of NOT_ASKED, with every check; blocks until it is through."""
    config = SchemathesisConfig.from_dict({
        "base-url": url,
        "headers": dict(headers),
        "auth": {"auto-signup": False},
        "seed": SEED,
        "continue-on-failure": True,
        "request-timeout": 15,
        "max-stream-events": 1,
        "generation": {"deterministic": True, "database": "none", "no-shrink": True},
        "phases": dict(phases),
    })  # fmt: skip
    found = Walk()
    for event in from_schema(schemathesis.openapi.from_dict(_asked(), config=config)).execute():
        match event:
            case events.ScenarioFinished():
                found.note(event.recorder)
            case events.NonFatalError() | events.FatalError():
                found.failures.append(str(event))
            case _:
                pass
    return found


def _asked() -> dict[str, Any]:
    """The description without what is not asked; and without windows of a replay, which wait for the broker as well."""
    described: dict[str, Any] = json.loads(document())
    for item in described["paths"].values():
        for method in [name for name, one in item.items() if one.get("operationId") in NOT_ASKED]:
            del item[method]
        for body in (one["requestBody"] for one in item.values() if "requestBody" in one):
            for content in body["content"].values():
                given = content.get("examples", {})
                content["examples"] = {name: one for name, one in given.items() if "window" not in one["value"]}
    for schema in described["components"]["schemas"].values():
        if "selection" in schema.get("properties", {}):
            schema["properties"].pop("window", None)
    return described


def _admitted(check: str, failure: str, answer: str) -> bool:
    codes = set(_codes(answer))
    return any(check == one and (code in codes or code in failure) for one, code in ADMITTED)


def _codes(answer: str) -> Iterator[str]:
    try:
        error: dict[str, Any] = json.loads(answer)["error"]
    except (ValueError, KeyError, TypeError):
        return
    yield error["code"]
    for one in error["details"].get("errors", []):
        yield one["code"]
        yield one["field"]
