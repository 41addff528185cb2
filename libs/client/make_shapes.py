"""Writes `client/shapes.py`, the shapes of the gateway's answers, from docs/openapi.json: `just client`.

By datamodel-code-generator; here is only what the description does not say. docs/adr/0009 has the reasons.
"""  # noqa: INP001 - a tool beside the package, no part of it

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[2]
SHAPES = ROOT / "libs" / "client" / "src" / "client" / "shapes.py"
NAMES = {
    "AlertReading": "Alert", "CancelledJob": "JobCancelled", "FailedDetail": "Failed", "FindingReading": "Finding",
    "HeldDetail": "Held", "InvoiceDetail": "Invoice", "JobStatus": "Job", "Party": "PartyIdentity",
    "RecoveryReport": "Recovered", "ReplayStatus": "Replay", "UserReading": "User",
    "Attempt": "WebhookAttempt", "DeliverySummary": "Delivery", "EndpointReading": "Webhook",
    "EndpointSecret": "WebhookSecret",
}  # fmt: skip
"""As `client` calls what has another name in the description."""
MORE_THAN = {
    "ConfigurationDetail": "ConfigurationEntry", "FailedDetail": "FailedSummary", "HeldDetail": "HeldSummary",
    "HeldSummary": "InvoiceSummary", "InvoiceDetail": "InvoiceSummary", "JobStatus": "JobSummary",
    "ReplayStatus": "ReplaySummary",
}  # fmt: skip
"""What has all that another one has: who can show that, can show this."""
BASES = {
    "JobSummary": "client.answer.Ending",
    "JobProgress": "client.answer.Ending",
    "ReplaySummary": "client.answer.Standing",
}
EXACT = {
    **{name: {"amount"} for name in ("InvoiceSummary", "OtherVersion", "FailedSummary", "PreviewItem")},
    "LineReading": {"quantity", "price", "amount", "vat_percent"},
    "VatReading": {"percent", "taxable", "tax"},
    "TotalsReading": {
        "lines", "allowances", "charges", "tax_exclusive", "tax", "tax_inclusive", "prepaid", "rounding", "payable",
    },
}  # fmt: skip
"""Strings that are decimal numbers."""
OPTIONS = (
    "--input-file-type=openapi",
    "--output-model-type=pydantic_v2.BaseModel",
    "--base-class=client.answer.Answer",
    f"--base-class-map={json.dumps(BASES)}",
    "--target-python-version=3.11",
    "--ignore-enum-constraints",  # a word of a newer gateway is a word
    "--collapse-root-models",
    "--strict-nullable",  # a default is not null
    "--use-annotated",
    "--disable-timestamp",
    "--formatters=builtin",
)


def made() -> str:
    """The text of `shapes.py` as it should be."""
    with TemporaryDirectory() as folder:
        given, output = Path(folder) / "openapi.json", Path(folder) / "shapes.py"
        given.write_text(_answers(json.loads((ROOT / "docs" / "openapi.json").read_text())))
        command = [sys.executable, "-m", "datamodel_code_generator", *OPTIONS]
        subprocess.run([*command, f"--input={given}", f"--output={output}"], check=True)  # noqa: S603
        return output.read_text()


def _answers(described: dict[str, Any]) -> str:
    """Answers only, without their envelopes and pages, which `client` has once; without titles, which repeat names."""
    schemas: dict[str, Any] = described["components"]["schemas"]
    kept = {
        name: _plain(name, schema, schemas)
        for name, schema in schemas.items()
        if not name.startswith(("Envelope_", "Page_", "Error")) and schema.get("additionalProperties") is not False
    }
    text = json.dumps({**described, "paths": {}, "components": {"schemas": kept}})
    for theirs, ours in NAMES.items():
        text = text.replace(f'"#/components/schemas/{theirs}"', f'"#/components/schemas/{ours}"')
        text = text.replace(f'"{theirs}": {{', f'"{ours}": {{')
    return text


def _plain(name: str, schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = schema.get("properties", {})
    for field, inner in fields.items():
        inner.pop("title", None)
        if field in EXACT.get(name, ()):
            inner["anyOf"] = [{"type": "string", "format": "decimal"}, {"type": "null"}]
    if "properties" in schema:  # the gateway leaves nothing out
        schema["required"] = [field for field, inner in fields.items() if "default" not in inner]
    if name not in MORE_THAN:
        return schema
    known = schemas[MORE_THAN[name]]["properties"].keys()
    more = {field: inner for field, inner in fields.items() if field not in known}
    required = [field for field in schema["required"] if field in more]
    part = {"type": "object", "properties": more, "required": required}
    return {"allOf": [{"$ref": f"#/components/schemas/{MORE_THAN[name]}"}, part]}


if __name__ == "__main__":
    SHAPES.write_text(made())
