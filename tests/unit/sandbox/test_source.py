import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.catalogue import Catalogue, CorpusCatalogue, FolderCatalogue
from sandbox.faults import Behaviour
from sandbox.invoices import Corpus
from sandbox.source import Source
from sandbox.web import Request, Routes
from tests.unit.sandbox.calls import TOKEN, FakeClock, content, get, reply, send

CORPUS = Corpus(4, 23, malformed=6)


def routes_of(catalogue: Catalogue, *rules: Mapping[str, object]) -> Routes:
    behaviour = Behaviour.model_validate({"rules": rules})
    return Source(catalogue, token=TOKEN, behaviour=behaviour, clock=FakeClock()).routes()


def listed(routes: Routes, limit: int = 5, **query: str) -> list[str]:
    """The ids of a whole listing, page by page."""
    ids: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = content(get(routes, "/invoices", limit=str(limit), cursor=cursor, **query))
        ids += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    return ids


@pytest.fixture
def routes() -> Routes:
    return routes_of(CorpusCatalogue(CORPUS))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for n in range(12):
        put(tmp_path, f"doc-{n:02d}", f"<Invoice>{n}</Invoice>".encode(), at=1_700_000_000 + n // 3)
    return tmp_path


def put(folder: Path, name: str, body: bytes, at: float) -> None:
    path = folder / f"{name}.xml"
    path.write_bytes(body)
    os.utime(path, (at, at))


@pytest.mark.parametrize("limit", [1, 5, 23, 24, 1000])
def test_paging_lists_every_document_once_and_in_order(routes: Routes, limit: int) -> None:
    assert listed(routes, limit) == [made.id for made in CORPUS]


def test_a_page_has_the_shape_of_the_contract(routes: Routes) -> None:
    page = content(get(routes, "/invoices", limit="2"))
    first = CORPUS.document(0)
    assert page["items"][0] == {
        "id": first.id,
        "modified_at": "2026-01-05T06:00:00.000000Z",
        "ubl": first.ubl.decode(),
    }
    assert page["total"] == 23
    assert list(page) == ["items", "next_cursor", "total"]


def test_malformed_documents_travel_unchanged(routes: Routes) -> None:
    items = content(get(routes, "/invoices"))["items"]
    assert [item["ubl"].encode() for item in items] == [made.ubl for made in CORPUS]


def test_ids_select_known_documents_and_leave_out_the_others(routes: Routes) -> None:
    wanted = [CORPUS.document(n).id for n in (7, 2, 20)]
    page = content(get(routes, "/invoices", ids=",".join([*wanted, "nobody", wanted[0]])))
    assert [item["id"] for item in page["items"]] == sorted(wanted)
    assert (page["total"], page["next_cursor"]) == (3, None)
    assert content(get(routes, "/invoices", ids=""))["items"] == []


def test_ids_are_paged_too(routes: Routes) -> None:
    wanted = [CORPUS.document(n).id for n in range(3, 15)]
    assert listed(routes, 5, ids=",".join(wanted)) == wanted


def test_since_includes_its_instant(routes: Routes) -> None:
    at = CORPUS.document(20).modified_at.isoformat()
    page = content(get(routes, "/invoices", since=at))
    assert [item["id"] for item in page["items"]] == [CORPUS.document(n).id for n in (20, 21, 22)]
    assert page["total"] == 3


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-01-01T00:00:00"}, "offset"),
        ({"cursor": "abc"}, "cursor"),
        ({"cursor": "W10"}, "cursor"),
    ],
)
def test_a_wrong_question_is_answered_with_what_is_wrong(routes: Routes, query: dict[str, str], says: str) -> None:
    answer = reply(get(routes, "/invoices", **query))
    assert answer.status == 400
    assert says in content(answer)["error"]["message"]


def test_a_wrong_token_sees_nothing(routes: Routes) -> None:
    assert reply(routes(Request("GET", "/invoices", {}, {}, b""))).status == 401


def test_documents_added_while_paging_come_last_and_shift_nothing() -> None:
    routes = routes_of(CorpusCatalogue(CORPUS))
    page = content(get(routes, "/invoices", limit="10"))
    added = content(send(routes, "POST", "/sandbox/documents", {"count": 3}))["ids"]
    rest: list[str] = []
    cursor = page["next_cursor"]
    while cursor:
        following = content(get(routes, "/invoices", limit="4", cursor=cursor))
        rest += [item["id"] for item in following["items"]]
        cursor = following["next_cursor"]
    assert [item["id"] for item in page["items"]] + rest == [made.id for made in CORPUS] + added
    assert listed(routes, ids=",".join(added)) == added
    assert listed(routes, since="2026-02-02T02:40:00+00:00") == added


def test_a_folder_is_listed_by_time_and_name_with_files_added_and_changed_meanwhile(folder: Path) -> None:
    routes = routes_of(FolderCatalogue(folder))
    page = content(get(routes, "/invoices", limit="5"))
    before = [item["id"] for item in page["items"]]
    put(folder, "new", b"<Invoice/>", at=1_700_000_500)
    put(folder, "doc-00", b"<Invoice>again</Invoice>", at=1_700_000_400)
    (folder / "notes.txt").write_text("not a document")
    page = content(get(routes, "/invoices", cursor=page["next_cursor"]))
    after = [item["id"] for item in page["items"]]
    assert before == [f"doc-{n:02d}" for n in range(5)]
    assert after == [*(f"doc-{n:02d}" for n in range(5, 12)), "doc-00", "new"]
    assert page["items"][-2]["ubl"] == "<Invoice>again</Invoice>"


def test_files_that_are_not_utf_8_are_delivered_byte_for_character(folder: Path) -> None:
    raw = b"\xff\xfe\x00<Invoice>\x80"
    put(folder, "broken", raw, at=1)
    item = content(get(routes_of(FolderCatalogue(folder)), "/invoices", ids="broken"))["items"][0]
    assert item["ubl"].encode("latin-1") == raw
    assert item["modified_at"] == "1970-01-01T00:00:01.000000Z"


def test_a_file_name_that_is_not_utf_8_is_listed(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.xml")).write_bytes(b"<Invoice/>")
    routes = routes_of(FolderCatalogue(folder))
    assert "\ufffd" in listed(routes)
    assert listed(routes, ids="\ufffd") == ["\ufffd"]


def test_documents_cannot_be_added_to_a_folder(folder: Path) -> None:
    routes = routes_of(FolderCatalogue(folder))
    assert reply(send(routes, "POST", "/sandbox/documents", {"count": 1})).status == 409


@pytest.mark.parametrize("body", [{}, [], {"count": "x"}])
def test_adding_needs_a_count(routes: Routes, body: object) -> None:
    assert reply(send(routes, "POST", "/sandbox/documents", body)).status == 422


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="nowhere"):
        FolderCatalogue(tmp_path / "nowhere")


@pytest.mark.parametrize(("shift", "seen"), [(1, 22), (-1, 24)])
def test_a_shifted_page_drops_or_repeats_a_document(shift: int, seen: int) -> None:
    rule = {"effect": "shift", "shift": shift, "matching": "cursor=.", "next": 1}
    assert len(listed(routes_of(CorpusCatalogue(CORPUS), rule))) == seen


def test_a_fault_can_hit_one_page_and_leave_the_next_try_alone() -> None:
    routes = routes_of(CorpusCatalogue(CORPUS), {"effect": "server_error", "next": 1}, {"effect": "cut", "next": 1})
    statuses: list[Any] = [reply(get(routes, "/invoices")) for _ in range(3)]
    assert [(each.status, each.cut) for each in statuses] == [(500, None), (200, 0.5), (200, None)]


def test_items_are_kept_up_to_a_size_and_made_again_beyond_it() -> None:
    small = CorpusCatalogue(CORPUS, cache_bytes=20_000)
    small.warm()
    large = CorpusCatalogue(CORPUS)
    assert [small.item(n) for n in range(23)] == [large.item(n) for n in range(23)]


def test_cursors_say_nothing_to_their_readers(routes: Routes) -> None:
    cursor = content(get(routes, "/invoices", limit="1"))["next_cursor"]
    assert json.dumps(cursor).strip('"') == cursor, "no character that JSON or a query would have to escape"
