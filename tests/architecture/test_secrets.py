"""Nothing in the repository that belongs to a person, a machine or a registry."""

import re
from collections.abc import Mapping

from tests.architecture.source import shown, tracked

# Written with escapes and classes, so that no pattern finds itself.
FORBIDDEN: Mapping[str, re.Pattern[str]] = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a cloud key": re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a Slack token": re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{10,}"),
    "a Slack webhook": re.compile(r"hooks\.slack\.com/services/T[0-9A-Z]{6,}/B[0-9A-Z]{6,}/\w{16,}"),
    "a token of a code host": re.compile(r"\b(gh[pousr]_[0-9A-Za-z]{30,}|glpat-[0-9A-Za-z_-]{20,})"),
    "a signed token": re.compile(r"\beyJ[0-9A-Za-z_-]{20,}\.eyJ[0-9A-Za-z_-]{20,}\.[0-9A-Za-z_-]{20,}"),
    "a path of one machine": re.compile(r"(?<![\w.~-])/(work|root|Users|home/[a-z][\w-]*|tmp/lab)/[\w.-]"),
    "a package registry's host": re.compile(
        r"\b(pypi\.org|pythonhosted\.org|registry\.npmjs\.org|registry\.yarnpkg\.com|repo1?\.maven\.(org|apache\.org)"
        r"|central\.sonatype\.com)"
    ),
    "an address with a password": re.compile(r"[a-z]+://[^\s/:@{}$<>\"']+:[^\s/:@{}$<>\"']{3,}@(?!127\.)[\w-]+\.\w"),
}


def test_no_tracked_file_holds_a_secret_a_machines_path_or_a_registrys_host() -> None:
    found = [
        f"{shown(path)}:{number}: {what}"
        for path in tracked()
        if (text := text_of(path.read_bytes())) is not None
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in FORBIDDEN.items()
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


def text_of(content: bytes) -> str | None:
    """None for a file that is no text."""
    return None if b"\0" in content[:8000] else content.decode(errors="replace")


def test_no_settings_file_or_key_is_tracked() -> None:
    names = [shown(path) for path in tracked() if re.search(r"(^|/)\.env$|\.(pem|key|p12|pfx)$", shown(path))]
    assert not names, names
