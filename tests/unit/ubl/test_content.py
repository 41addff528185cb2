import re
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.unit.ubl.documents import SAMPLE, Document, official
from ubl.content import content_sha256
from ubl.names import INVOICE_NS
from ubl.safe import parse

SEED = SAMPLE.decode()
PARTS = re.split(r"(<[^>]+>)", SEED)
VALUES = [index for index, part in enumerate(PARTS) if part.strip() and not part.startswith("<")]
EXTENSION = (
    '<ext:UBLExtensions xmlns:ext="urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2">'
    "<ext:UBLExtension><ext:ExtensionContent>"
    '<{p}:a xmlns:{p}="urn:one" xmlns:{q}="urn:two" {q}:k="1"><{q}:b/><c/></{p}:a>'
    "</ext:ExtensionContent></ext:UBLExtension></ext:UBLExtensions>"
)


def digest(text: str | bytes, volatile: frozenset[str] = frozenset()) -> bytes:
    return content_sha256(parse(text if isinstance(text, bytes) else text.encode()), volatile)


def with_extension(p: str, q: str) -> str:
    return SEED.replace("<cbc:ID>INV", EXTENSION.format(p=p, q=q) + "<cbc:ID>INV")


prefixes = st.lists(
    st.from_regex(r"[a-z][a-z0-9_.-]{0,5}", fullmatch=True), min_size=3, max_size=3, unique=True
).filter(lambda names: not any(name.startswith("xml") for name in names))


@given(prefixes)
def test_prefixes_do_not_matter(names: list[str]) -> None:
    one, two, root = names
    text = SEED.replace("cac:", f"{one}:").replace("cbc:", f"{two}:")
    text = text.replace("xmlns:cac=", f"xmlns:{one}=").replace("xmlns:cbc=", f"xmlns:{two}=")
    text = text.replace("<Invoice xmlns=", f"<{root}:Invoice xmlns:{root}=").replace("</Invoice", f"</{root}:Invoice")
    assert digest(text) == digest(SEED)


def test_usual_prefixes_that_mean_something_else_do_not_matter() -> None:
    swapped = SEED.replace("cac:", "\0").replace("cbc:", "cac:").replace("\0", "cbc:")
    swapped = swapped.replace("xmlns:cac=", "\0").replace("xmlns:cbc=", "xmlns:cac=").replace("\0", "xmlns:cbc=")
    assert digest(swapped) == digest(SEED)


def test_where_a_namespace_is_declared_does_not_matter() -> None:
    declaration = re.search(r'xmlns:cbc="[^"]*"', SEED)
    assert declaration
    local = re.sub(r"<(cbc:\w+)", rf"<\1 {declaration[0]}", SEED.replace(declaration[0], ""))
    assert digest(local) == digest(SEED)


def test_declarations_that_nobody_uses_do_not_matter() -> None:
    assert digest(SEED.replace("<Invoice ", '<Invoice xmlns:qdt="urn:q" xmlns:n0="urn:n" ')) == digest(SEED)


def test_prefixes_of_extensions_do_not_matter() -> None:
    assert digest(with_extension("a", "b")) == digest(with_extension("n1", "n0"))


def test_namespaces_of_extensions_matter() -> None:
    assert digest(with_extension("a", "b").replace("urn:one", "urn:three")) != digest(with_extension("a", "b"))


@given(st.lists(st.text(" \t\n", max_size=400), min_size=len(PARTS), max_size=len(PARTS)))
@settings(max_examples=40, deadline=None)
def test_layout_does_not_matter(blanks: list[str]) -> None:
    laid_out = [
        blank if not part.strip() and index not in (0, len(PARTS) - 1) else part
        for index, (part, blank) in enumerate(zip(PARTS, blanks, strict=True))
    ]
    assert digest("".join(laid_out)) == digest(SEED)


@given(st.lists(st.sampled_from(["", "<!-- c -->", "<?p i?>"]), min_size=len(PARTS), max_size=len(PARTS)))
@settings(max_examples=40, deadline=None)
def test_comments_and_instructions_do_not_matter(notes: list[str]) -> None:
    assert digest("".join(a + b for a, b in zip(PARTS, notes, strict=True))) == digest(SEED)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('<cbc:ID schemeID="a" schemeName="b">1', "<cbc:ID schemeName='b'  schemeID='a'>1"),
        ("<cbc:ID>1&amp;", "<cbc:ID><![CDATA[1&]]>"),
        ("<cbc:ID>1&#65;", "<cbc:ID>1A"),
        ("<cac:Price></cac:Price><cbc:ID>1", "<cac:Price/><cbc:ID>1"),
        ("<cbc:Note> \n </cbc:Note><cbc:ID>1", "<cbc:Note/><cbc:ID>1"),
        ("<cbc:Note> <!-- c --></cbc:Note><cbc:ID>1", "<cbc:Note/><cbc:ID>1"),
        ("&#32; <cbc:ID>1", "<cbc:ID>1"),
        (f"{' ' * 20_000}<cbc:ID>1", "<cbc:ID>1"),
    ],
)
def test_two_spellings_of_one_thing_are_equal(one: str, other: str) -> None:
    assert digest(SEED.replace("<cbc:ID>1", one)) == digest(SEED.replace("<cbc:ID>1", other))


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_the_encoding_does_not_matter(encoding: str) -> None:
    text = SEED.replace("Product", "Café")
    assert digest(f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding)) == digest(text)


def test_line_ends_do_not_matter() -> None:
    assert digest(SEED.replace("\n", "\r\n")) == digest(SEED)


def test_a_schema_hint_does_not_matter() -> None:
    hint = '<Invoice xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" '
    assert digest(SEED.replace("<Invoice ", hint)) == digest(SEED)


@given(
    st.sampled_from(VALUES), st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=8), st.booleans()
)
def test_any_text_that_changes_changes_the_hash(index: int, new: str, append: bool) -> None:  # noqa: FBT001
    new = new.replace("&", "").replace("<", "").replace(">", "") or "x"
    changed = [*PARTS]
    changed[index] = (changed[index] if append else "") + new
    assert (digest("".join(changed)) == digest(SEED)) == (changed == PARTS)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('currencyID="EUR"', 'currencyID="USD"'),
        ('unitCode="EA"', 'unitCode="EA" unitCodeListID="x"'),
        ("<cbc:Description>", "<cbc:Description> "),
        ("<cac:Item>", "<cbc:Note>x</cbc:Note><cac:Item>"),
        ("<cac:Item>", "mixed<cac:Item>"),
        ("cbc:Description>", "cbc:Name>"),
        ("Product Description", "xmlns Description"),
    ],
)
def test_names_attributes_and_blanks_beside_text_matter(old: str, new: str) -> None:
    assert digest(SEED.replace(old, new)) != digest(SEED)


def test_order_matters() -> None:
    one = Document(head="<cbc:Note>a</cbc:Note><cbc:Note>b</cbc:Note>").xml()
    assert digest(one) != digest(Document(head="<cbc:Note>b</cbc:Note><cbc:Note>a</cbc:Note>").xml())


def test_volatile_parts_do_not_count() -> None:
    volatile = frozenset({"cbc:UUID", "cac:InvoiceLine/cbc:Note"})
    one = Document(head="<cbc:UUID>1</cbc:UUID>", line_note="<cbc:Note>a</cbc:Note>").xml()
    assert digest(one, volatile) == digest(Document().xml(), volatile)
    assert digest(one) != digest(Document().xml())


def test_the_document_itself_is_never_volatile() -> None:
    assert digest(SEED, frozenset({"."})) == digest(SEED)


def test_the_document_is_left_as_it_was() -> None:
    root = parse(Document(head="<cbc:UUID>1</cbc:UUID>").xml())
    before = etree.tostring(root)
    content_sha256(root, frozenset({"cbc:UUID"}))
    assert etree.tostring(root) == before


def test_the_canonical_form_is_exclusive_c14n_in_the_usual_prefixes() -> None:
    canonical = f'<Invoice xmlns="{INVOICE_NS}"><b a="1" c="2">x</b></Invoice>'
    written = f'<i:Invoice xmlns:i="{INVOICE_NS}">\n<i:b c="2" a="1">x</i:b></i:Invoice>'
    assert digest(written) == digest(canonical) == sha256(canonical.encode()).digest()


def test_an_element_without_a_namespace_is_not_one_of_ubl() -> None:
    spellings = (
        f'<i:Invoice xmlns:i="{INVOICE_NS}"><b>x</b></i:Invoice>',
        f'<Invoice xmlns="{INVOICE_NS}"><b xmlns="">x</b></Invoice>',
    )
    ubl = digest(f'<Invoice xmlns="{INVOICE_NS}"><b>x</b></Invoice>')
    assert digest(spellings[0]) == digest(spellings[1]) != ubl


def test_official_documents_have_hashes_of_their_own() -> None:
    paths = list(official())
    if not paths:
        pytest.skip("the official example documents are not here")
    contents = {re.sub(rb"\s+", b"", path.read_bytes()) for path in paths}
    assert len({digest(path.read_bytes()) for path in paths}) == len(contents)
