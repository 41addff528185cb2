"""What has to be well in the afternoon, so that the night works."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

STALE = timedelta(minutes=30)
"""An answer that old says nothing of tonight."""
MOST_LAG = 10_000
"""Records that a group may be behind in the afternoon."""
LEAST_DISK = 0.10

_DO: Mapping[str, str] = {
    "source": "ask those who run the backend; is SOURCE_TOKEN still good?",
    "destination": "is DESTINATION_TOKEN still good, with its scopes? renew it, then restart the sender",
    "administrations": "give the token access to them at Clearfacts, or take them out of ADMINISTRATIONS",
}


@dataclass(frozen=True, slots=True)
class Outside:
    """What a service found when it last asked; `ok` is None where that cannot be asked."""

    name: str
    ok: bool | None
    why: str | None
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How the system is, as the gateway tells; `broken`: parts and breakers by name, with the reason."""

    broken: Mapping[str, str]
    paused: Sequence[str]
    lag: Mapping[str, int]
    outside: Sequence[Outside]
    alerts: Sequence[str] = ()
    """Kinds of open alerts that stop the night."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One question; `ok` is None where nobody can answer it now, which is no reason to wake anybody."""

    subject: str
    ok: bool | None
    why: str
    do: str = ""


def look_ahead(standing: Standing, *, free_disk: float, now: datetime) -> list[Finding]:
    """One finding a subject, each time the same subjects."""
    return [
        _named("system", dict(standing.broken), "all parts answer", "clearfacts system says more of each"),
        _paused(standing.paused),
        _named(
            "alerts",
            dict.fromkeys(standing.alerts, "open"),
            "no open alert stops the night",
            "clearfacts alerts list, then docs/operating.md",
        ),
        *_outside(standing.outside, now),
        _lag(standing.lag),
        Finding(
            "disk",
            ok=free_disk >= LEAST_DISK,
            why=f"{free_disk:.0%} of Dagster's disk is free",
            do="free some space, or make the volume larger",
        ),
    ]


def _named(subject: str, wrong: Mapping[str, str], well: str, do: str) -> Finding:
    if not wrong:
        return Finding(subject, ok=True, why=well)
    return Finding(subject, ok=False, why="; ".join(f"{name}: {why}" for name, why in sorted(wrong.items())), do=do)


def _paused(paused: Sequence[str]) -> Finding:
    if not paused:
        return Finding("pauses", ok=True, why="nothing is paused")
    return Finding(
        "pauses", ok=False, why=f"paused: {', '.join(paused)}; tonight's invoices would wait",
        do="clearfacts switches list, then clearfacts resume sender --reason TEXT, if it is not meant",
    )  # fmt: skip


def _outside(found: Sequence[Outside], now: datetime) -> Iterator[Finding]:
    by_name = {one.name: one for one in found}
    for name, do in _DO.items():
        one = by_name.get(name)
        if one is None or now - one.checked_at > STALE:
            since = f"for {round((now - one.checked_at).total_seconds() / 60)} minutes" if one else "yet"
            yield Finding(name, ok=None, why=f"nobody has looked {since}")
        elif one.ok:
            yield Finding(name, ok=True, why=one.why or "answers")
        else:
            yield Finding(name, ok=one.ok, why=one.why or "no reason was given", do=do)


def _lag(lag: Mapping[str, int]) -> Finding:
    behind = {name: f"{records} records behind" for name, records in lag.items() if records > MOST_LAG}
    return _named("lag", behind, f"no group is {MOST_LAG} records behind", "is the service well? clearfacts system")
