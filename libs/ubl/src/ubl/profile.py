"""A profile is a list of layers that judge a document; `basic` is the UBL 2.1 schema and then our own rules."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final, Literal

from ubl import rules, schema
from ubl.names import ROOTS, Kind
from ubl.safe import DEFAULT, Limits, MalformedDocument, parse
from ubl.verdict import Finding, Layer, Severity, Verdict

Profile = Literal["basic"]
BASIC_RULESET: Final = f"{schema.RULESET}+{rules.RULESET}"


class Validator:
    """Judges documents by one profile. Use one per process: the schemas cost time to compile, not to use."""

    def __init__(self, profile: Profile, schemas: Mapping[Kind, schema.Schema], limits: Limits = DEFAULT) -> None:
        self._profile: Profile = profile
        self._schemas = schemas
        self._limits = limits

    def validate(self, raw: bytes) -> Verdict:
        """The verdict on these bytes. Never raises: what goes wrong in here is a fatal finding, never "valid"."""
        try:
            findings = tuple(self._findings(raw))
        except Exception as error:  # noqa: BLE001 - the promise above
            message = f"The rules could not be applied: {type(error).__name__}: {error}"[:400]
            findings = (Finding(rules.ENGINE_ERROR, Severity.FATAL, Layer.LOCAL, message),)
        valid = all(finding.severity is not Severity.FATAL for finding in findings)
        return Verdict(self._profile, BASIC_RULESET, valid, findings)

    def _findings(self, raw: bytes) -> Iterator[Finding]:
        try:
            root = parse(raw, self._limits)
        except MalformedDocument as malformed:
            yield rules.malformed_finding(malformed)
            return
        findings = schema.schema_findings(self._schemas[ROOTS[str(root.tag)]], root)
        yield from findings
        # Rules assume the schema's types; on a broken document they would only repeat what it found.
        if not any(finding.severity is Severity.FATAL for finding in findings):
            yield from rules.local_findings(root)


@cache
def load(profile: Profile) -> Validator:
    """The validator of this profile, compiled at its first use in this process."""
    return Validator(profile, schema.compile_schemas())
