"""`requirements.lock` is what the members ask for, pinned and hashed, and names no address. Asks nobody: no network."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source import ROOT, members, project, shown

PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+?)(?: ; .+?)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")
ADVICE = "run `just lock`, then commit requirements.lock"


@dataclass
class Locked:
    version: str
    hashes: int = 0
    via: set[str] = field(default_factory=set[str])
    """Who asked for it: packages and members."""


@cache
def lock() -> dict[str, Locked]:
    packages: dict[str, Locked] = {}
    current = Locked("")
    for line in (ROOT / "requirements.lock").read_text().splitlines()[2:]:
        if pin := PIN.match(line):
            current = packages.setdefault(canonicalize_name(pin[1]), Locked(pin[2]))
        elif HASH.match(line):
            current.hashes += 1
        elif line.startswith("    #"):
            current.via |= {canonicalize_name(line.removeprefix("    #").replace("via", "", 1).strip())} - {""}
        else:
            raise AssertionError(f"not pinned with hashes: {line}")
    return packages


def asked(folder: Path, *, groups: bool = False) -> Iterator[Requirement]:
    """What a pyproject.toml asks for from outside the workspace."""
    described = project(folder)
    development = described.get("dependency-groups", {}).values() if groups else ()
    for text in (*described["project"].get("dependencies", ()), *(line for group in development for line in group)):
        if not (requirement := Requirement(text)).name.startswith("clearfacts-"):
            yield requirement


def test_every_package_is_pinned_with_hashes() -> None:
    without = [name for name, locked in lock().items() if not locked.hashes]
    assert not without, without


def test_the_lock_names_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"https?://|--(index-url|extra-index-url|find-links)|@ ", text)


@pytest.mark.parametrize("folder", [ROOT, *members()], ids=shown)
def test_what_is_asked_for_is_locked_at_a_version_that_fits(folder: Path) -> None:
    locked = lock()
    wrong = [
        f"{requirement}: {found.version if found else 'not locked'}"
        for requirement in asked(folder, groups=True)
        if (found := locked.get(canonicalize_name(requirement.name))) is None
        or not requirement.specifier.contains(found.version, prereleases=True)
    ]
    assert not wrong, f"{wrong}; {ADVICE}"


@pytest.mark.parametrize("member", members(), ids=shown)
def test_the_lock_was_made_from_what_the_member_asks_for_now(member: Path) -> None:
    name = project(member)["project"]["name"]
    recorded = {package for package, locked in lock().items() if name in locked.via}
    assert recorded == {canonicalize_name(requirement.name) for requirement in asked(member)}, ADVICE
