"""Items of a raw page: whatever the source gives becomes an item, with its bytes as they were."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.domain import document_bytes, listed

ANY_TEXT = st.text(st.characters(exclude_categories=[]))  # half characters included
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=5,
)


def declared(encoding: str, content: str = "é") -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?><a>{content}</a>'


@pytest.mark.parametrize("text", ["<a>é€</a>", declared("UTF-8"), declared("utf8"), "", "\ufeff<a/>"])
def test_a_document_in_utf8_is_kept_as_text(text: str) -> None:
    item = listed("1", None, text, b"")
    assert (item.document, item.text, item.problem) == (text.encode(), text, None)


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "iso-8859-15", "windows-1252", "UTF-16"])
def test_a_document_that_declares_another_encoding_has_the_bytes_of_that_encoding(encoding: str) -> None:
    item = listed("1", None, declared(encoding), b"")
    assert (item.document, item.text, item.problem) == (declared(encoding).encode(encoding), None, None)


def test_a_byte_order_mark_does_not_hide_the_declaration_and_is_not_written_twice() -> None:
    assert document_bytes("\ufeff" + declared("utf-16")) == declared("utf-16").encode("utf-16")


def test_a_document_of_plain_letters_is_text_in_every_encoding() -> None:
    text = declared("ISO-8859-1", "plain")
    assert listed("1", None, text, b"").text == text


@pytest.mark.parametrize("encoding", ["iso-8859-1", "us-ascii"])
def test_a_declaration_that_cannot_hold_the_characters_is_a_problem_and_never_sent_garbled(encoding: str) -> None:
    item = listed("1", None, declared(encoding, "1 €"), b"")
    assert item.problem == "the document declares an encoding that cannot hold its characters"
    assert (item.document, item.text) == (declared(encoding, "1 €").encode(), None)


@pytest.mark.parametrize("encoding", ["undefined", "idna", "utf-7", "punycode", "rot13", "base64", "no-such-thing"])
def test_an_encoding_that_is_not_for_documents_is_left_to_the_parser_to_refuse(encoding: str) -> None:
    assert document_bytes(declared(encoding)) == declared(encoding).encode()


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("<a>\x00</a>", b"<a>\x00</a>"),
        ("<a>\ud800</a>", b"<a>\xed\xa0\x80</a>"),
        ("<a>\udce9</a>", b"<a>\xe9</a>"),  # the byte E9 in a page that is not UTF-8
    ],
)
def test_what_postgres_cannot_hold_as_text_is_kept_as_bytes(text: str, content: bytes) -> None:
    item = listed("1", None, text, b"")
    assert (item.document, item.text, item.problem) == (content, None, None)


@pytest.mark.parametrize("source_id", [None, "", "x" * 256, True, 1.5, ["1"], "a\x00b", "a\nb", "\ud800"])
def test_an_id_that_cannot_be_one_gets_a_stand_in_and_says_what_it_was(source_id: object) -> None:
    item = listed(source_id, None, "<a/>", b"")
    assert item.source_id == f"unusable:{hashlib.sha256(b'<a/>').hexdigest()[:32]}"
    assert item.problem is not None
    assert repr(source_id)[:200] in item.problem
    assert item.problem.isprintable()


def test_two_items_without_an_id_stay_two() -> None:
    assert listed(None, None, "<a/>", b"").source_id != listed(None, None, "<b/>", b"").source_id


@pytest.mark.parametrize(("source_id", "expected"), [("x" * 255, "x" * 255), (12, "12"), ("a b/é", "a b/é")])
def test_a_usual_id_stays_as_it_is(source_id: object, expected: str) -> None:
    item = listed(source_id, None, "<a/>", b"")
    assert (item.source_id, item.problem) == (expected, None)


@pytest.mark.parametrize("document", [None, 7, {"a": 1}])
def test_an_item_without_a_document_keeps_the_whole_item(document: object) -> None:
    item = listed("1", None, document, b'{"id":"1"}')
    assert (item.document, item.text, item.problem) == (b'{"id":"1"}', None, "there is no document")


@given(JSON, JSON, st.binary())
def test_whatever_is_listed_becomes_an_item_that_the_database_can_hold(
    source_id: object, document: object, raw: bytes
) -> None:
    item = listed(source_id, None, document, raw)
    assert 0 < len(item.source_id) <= 255
    assert item.source_id.isprintable()
    assert item.sha256 == hashlib.sha256(item.document).digest()
    if item.text is not None:
        assert item.text.encode() == item.document
        assert "\x00" not in item.text
    elif isinstance(document, str) and item.problem is None:
        assert document.encode("utf-8", "ignore") != item.document or "\x00" in document


@given(st.text(), st.sampled_from(["utf-8", "iso-8859-1", "windows-1252", "utf-16", "UTF-16", "us-ascii", "x"]))
def test_bytes_in_a_declared_encoding_read_back_as_the_same_text(content: str, encoding: str) -> None:
    text = declared(encoding, content)
    written = document_bytes(text)
    assert written is None or written.decode("utf-8" if encoding == "x" else encoding) == text
