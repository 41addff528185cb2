"""Failures as people read them."""

from collections.abc import Sequence

from rich.console import Console

from cli.show import moment, plain, print_facts, print_table
from client import CauseGroup, Failed, FailedSummary, Page, Preview

_LONGEST_BODY = 4000


def print_page(console: Console, page: Page[FailedSummary]) -> None:
    columns = [("Id", 36), ("At", 11), ("Why", 10), ("What", 19)]
    rows = [(row.id, moment(row.at, short=True), row.reason or "-", _name(row)) for row in page.items]
    print_table(console, columns, rows)
    if page.next_cursor:
        console.print(f"more: --cursor {page.next_cursor}", soft_wrap=True)


def print_groups(console: Console, groups: Sequence[CauseGroup]) -> None:
    columns = [("Group", 16), ("Count", -6), ("First", 11), ("Last", 11), ("Cause", 31)]
    rows = [
        (
            group.group,
            f"{group.count}{'+' if group.more else ''}",
            moment(group.first_at, short=True),
            moment(group.last_at, short=True),
            f"{group.reason}: {group.cause}",
        )
        for group in groups
    ]
    print_table(console, columns, rows)


def print_failure(console: Console, found: Failed) -> None:
    print_facts(console, _facts(found))
    for version in found.versions[1:]:
        console.print(f"{moment(version.at)}  edited, version {version.number}: {plain(version.reason)}")
    for replay in found.replays:
        console.print(f"replay {replay.replay_id}: {replay.outcome or replay.state}")
    body = found.body if len(found.body) <= _LONGEST_BODY else f"{found.body[:_LONGEST_BODY]}\n… (--json has it all)"
    console.print("\n".join(plain(line) for line in body.splitlines()), soft_wrap=True)


def print_preview(console: Console, preview: Preview) -> None:
    outcomes = ", ".join(f"{number} {name}" for name, number in preview.outcomes.items())
    console.print(f"{preview.total} items: {outcomes}", soft_wrap=True)
    for cause in preview.causes:
        console.print(f"{cause.count:>7}  {cause.group}  {plain(cause.cause)}", soft_wrap=True)
    for refusal in preview.refusals[:20]:
        console.print(f"not {refusal.item_id}: {refusal.outcome}: {plain(refusal.why)}", soft_wrap=True)
    if len(preview.refusals) > 20:
        console.print("and more that would not move: --json")


def _name(row: FailedSummary) -> str:
    if row.kind == "record":
        return f"{row.topic}/{row.partition}@{row.offset}"
    return row.number or row.invoice_id or "-"


def _facts(found: Failed) -> list[tuple[str, object]]:
    return [
        ("id", found.id),
        ("what", f"{found.kind} {_name(found)}"),
        ("failed", moment(found.at)),
        ("status", found.status),
        ("why", found.reason),
        ("error", found.error),
        ("group", found.group),
        ("source id", found.invoice_id),
        ("job", found.job_id),
        ("dossier", found.dossier),
        ("supplier", found.supplier_name),
        ("maybe sent", "yes" if found.maybe_sent else None),
        ("read by", found.consumer_group),
        ("replayed before", found.replay_count or None),
        ("came back from", found.replay_of),
        ("set aside", (found.resolution or {}).get("reason")),
        ("version", found.version),
    ]
