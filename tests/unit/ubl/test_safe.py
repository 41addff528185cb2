import codecs
import os
import pickle
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.ubl.documents import INVOICE_NAMESPACES, SAMPLE, Document
from ubl import safe
from ubl.safe import Limits, Malformation, MalformedDocument, parse

ROOT = f"<Invoice {INVOICE_NAMESPACES}>"


def refusal(raw: bytes, limits: Limits = Limits()) -> MalformedDocument:  # noqa: B008 - frozen
    with pytest.raises(MalformedDocument) as caught:
        parse(raw, limits)
    return caught.value


def laughs() -> str:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE x [<!ENTITY a0 "ha">{entities}]>{ROOT}&a9;</Invoice>'


def test_the_sample_of_the_customer_is_read() -> None:
    assert parse(SAMPLE).tag == "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"


def test_a_credit_note_is_read() -> None:
    assert str(parse(Document(kind="CreditNote").xml()).tag).endswith("}CreditNote")


def test_comments_and_instructions_split_no_text() -> None:
    root = parse(f"{ROOT}<cbc:ID>1<!-- c -->2<?p i?>3<![CDATA[4]]></cbc:ID></Invoice>".encode())
    assert root[0].text == "1234"


@pytest.mark.parametrize(
    "document",
    [
        pytest.param('<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>{root}&e;</Invoice>', id="external entity"),
        pytest.param(
            '<!DOCTYPE x [<!ENTITY % e SYSTEM "file://{secret}"> %e;]>{root}&x;</Invoice>', id="parameter entity"
        ),
        pytest.param('<!DOCTYPE x SYSTEM "file://{secret}">{root}</Invoice>', id="external DTD"),
        pytest.param('<!DOCTYPE x PUBLIC "-//X" "http://127.0.0.1:9/x.dtd">{root}</Invoice>', id="DTD over HTTP"),
        pytest.param('<!DOCTYPE x [<!ENTITY e "internal">]>{root}&e;</Invoice>', id="internal entity"),
        pytest.param("<!-- first --><?p i?>\n<!DOCTYPE x>{root}</Invoice>", id="empty DTD behind a comment"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_a_document_type_declaration_is_refused_before_anything_in_it_is_read(
    document: str, encoding: str, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    os.mkfifo(secret)  # whoever opens it hangs, and the test with it
    assert refusal(document.format(secret=secret, root=ROOT).encode(encoding)).code is Malformation.DTD


def test_what_expat_overlooks_is_refused_after_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe, "_scan_prolog", lambda _raw: None)
    assert refusal(f"<!DOCTYPE Invoice>{ROOT}</Invoice>".encode()).code is Malformation.DTD


def test_a_billion_laughs_are_refused_without_memory() -> None:
    tracemalloc.start()
    assert refusal(laughs().encode()).code is Malformation.DTD
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["utf-7", "utf-32", "shift_jis", "cp037", "gb18030", "no-such-thing", "utf-8\\x"])
def test_an_encoding_that_can_hide_markup_is_refused(encoding: str) -> None:
    raw = f'<?xml version="1.0" encoding="{encoding}"?>{ROOT}</Invoice>'.encode()
    assert refusal(raw).code in {Malformation.ENCODING, Malformation.SYNTAX}


@pytest.mark.parametrize("encoding", ["utf-32", "cp037", "utf-7"])
def test_bytes_in_such_an_encoding_are_refused(encoding: str) -> None:
    raw = f'<?xml version="1.0" encoding="{encoding}"?>{ROOT}+ADw-</Invoice>'.encode(encoding)
    assert refusal(raw).code in {Malformation.ENCODING, Malformation.SYNTAX}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "iso-8859-15", "windows-1252", "us-ascii"])
def test_the_usual_encodings_are_read(encoding: str) -> None:
    letter = "e" if encoding == "us-ascii" else "é"
    text = f'<?xml version="1.0" encoding="{encoding}"?>{ROOT}<cbc:ID>{letter}</cbc:ID></Invoice>'
    assert parse(text.encode(encoding))[0].text == letter


def test_a_wrong_byte_order_mark_is_refused() -> None:
    raw = codecs.BOM_UTF16_BE + f'<?xml version="1.0" encoding="utf-16"?>{ROOT}</Invoice>'.encode("utf-16-le")
    assert refusal(raw).code is Malformation.SYNTAX


def test_xinclude_stays_inert(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "secret")
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file://{tmp_path}/secret" parse="text"/>'
    assert str(parse(f"{ROOT}{include}</Invoice>".encode())[0].tag).endswith("}include")


def test_an_unknown_entity_is_refused() -> None:
    assert refusal(f"{ROOT}&nothing;</Invoice>".encode()).code is Malformation.SYNTAX


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param("<cbc:Note/>" * 500_000, id="a million siblings"),
        pytest.param("<cac:Party>" * 100 + "</cac:Party>" * 100, id="deeper than we go"),
        pytest.param("<cac:Party>" * 1000 + "</cac:Party>" * 1000, id="deeper than libxml2 goes"),
        pytest.param("".join(f'<cbc:Note xmlns:n{n}="urn:{n}"/>' for n in range(600)), id="namespaces"),
        pytest.param("<cbc:Note " + " ".join(f'a{n}=""' for n in range(500_000)) + "/>", id="attributes"),
        pytest.param('<cbc:Note languageID="' + "x" * 10_000_001 + '"/>', id="a huge attribute"),
    ],
)
def test_a_document_that_costs_too_much_is_refused(inside: str) -> None:
    assert refusal(f"{ROOT}{inside}</Invoice>".encode()).code is Malformation.TOO_COMPLEX


def test_namespaces_are_counted_in_utf_16_too() -> None:
    inside = "".join(f'<cbc:Note xmlns:n{n}="urn:{n}"/>' for n in range(600))
    assert refusal(f"{ROOT}{inside}</Invoice>".encode("utf-16")).code is Malformation.TOO_COMPLEX


def test_an_attachment_above_ten_megabytes_is_refused_by_name() -> None:
    raw = f"{ROOT}<cbc:Note>{'QUJD' * 2_600_000}</cbc:Note></Invoice>".encode()
    assert refusal(raw).code is Malformation.ATTACHMENT_TOO_LARGE


def test_size_is_checked_before_anything_else() -> None:
    assert refusal(b"x" * 101, Limits(size=100)).code is Malformation.TOO_LARGE


def test_depth_up_to_the_limit_is_read() -> None:
    raw = f"{ROOT}<cac:Party><cac:Party/></cac:Party></Invoice>".encode()
    assert parse(raw, Limits(depth=3)) is not None
    assert refusal(raw, Limits(depth=2)).code is Malformation.TOO_COMPLEX


@pytest.mark.parametrize(
    "raw",
    [
        b"<a/>",
        b'<Invoice xmlns="urn:x"/>',
        SAMPLE.replace(b"Invoice-2", b"Order-2"),
        SAMPLE.replace(b"Invoice-2", b"CreditNote-2"),
    ],
)
def test_other_xml_is_refused(raw: bytes) -> None:
    assert refusal(raw).code is Malformation.NOT_UBL


@pytest.mark.parametrize("raw", [b"", b" ", b"\0", b"<", b"<?xml", b"<!-- only -->", b"%PDF-1.7", b"{}", SAMPLE[:-20]])
def test_what_is_not_xml_is_a_syntax_error(raw: bytes) -> None:
    assert refusal(raw).code is Malformation.SYNTAX


def test_a_syntax_error_says_where() -> None:
    error = refusal(f"{ROOT}\n\n<cbc:ID></Invoice>".encode())
    assert error.line == 3
    assert str(error).endswith("(line 3)")
    assert "line 3, column" not in error.message


def test_a_refusal_travels_between_processes() -> None:
    sent = refusal(b"<a")
    arrived = pickle.loads(pickle.dumps(sent))
    assert (arrived.code, arrived.message, arrived.line) == (sent.code, sent.message, sent.line)


def test_a_refusal_without_a_line_is_its_message() -> None:
    assert str(MalformedDocument(Malformation.TOO_LARGE, "too large")) == "too large"


SNIPPETS = [
    b"<!DOCTYPE x [",
    b"]>",
    b"<!ENTITY a 'b'>",
    b"&a;",
    b"&#0;",
    b"<![CDATA[",
    b"]]>",
    b"<?xml version='1.0'?>",
]
MORE = [
    b"encoding='utf-16'",
    b"xmlns:a=''",
    b"<!--",
    b"-->",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"<cbc:ID>",
    b"<x:y/>",
]
edits = st.lists(
    st.tuples(
        st.integers(0, len(SAMPLE)),
        st.integers(0, 40),
        st.one_of(st.binary(max_size=6), st.sampled_from(SNIPPETS + MORE)),
    ),
    max_size=6,
)


@settings(max_examples=300, deadline=None)
@given(edits)
def test_no_bytes_make_it_raise_anything_else(edits: list[tuple[int, int, bytes]]) -> None:
    raw = SAMPLE
    for at, length, new in edits:
        raw = raw[:at] + new + raw[at + length :]
    try:
        parse(raw)
    except MalformedDocument as malformed:
        assert malformed.code in Malformation  # noqa: PT017 - most edits break the document, some do not


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=200), st.sampled_from(["", "utf-8", "utf-16", "iso-8859-1", "idna", "rot13", "unicode_escape"])
)
def test_no_declaration_makes_it_raise_anything_else(raw: bytes, encoding: str) -> None:
    with pytest.raises(MalformedDocument):
        parse(f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + raw)
