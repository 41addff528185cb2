"""The answer of a validation."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """A fatal finding makes a document invalid; a warning does not."""

    FATAL = "fatal"
    WARNING = "warning"


class Layer(StrEnum):
    """Which part of a profile found it."""

    XSD = "xsd"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: `location` is a path in the usual prefixes, `line` counts from 1 in the raw bytes."""

    rule: str
    severity: Severity
    layer: Layer
    message: str
    location: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a profile, at the version of its rules named by `ruleset`, says of one document."""

    profile: str
    ruleset: str
    valid: bool
    findings: tuple[Finding, ...] = ()
