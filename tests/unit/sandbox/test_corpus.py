from collections import Counter

import pytest

from sandbox.invoices import ADMINISTRATIONS, Corpus, Generated, Kind
from ubl import profile
from ubl.identity import Identity, direction, identify
from ubl.safe import MalformedDocument

OURS = frozenset(party.number for party in ADMINISTRATIONS)
CORPUS = Corpus(11, 400, duplicates=30, changed=6, malformed=10, invalid=8, refused=4, unknown=3)


def by_kind(kind: Kind) -> list[Generated]:
    return [made for made in CORPUS if made.kind is kind]


def identities() -> dict[str, Identity]:
    plain = {Kind.INVOICE, Kind.CREDIT_NOTE}
    return {made.id: identify(made.ubl) for made in CORPUS if made.kind in plain}


def key(identity: Identity) -> tuple[object, ...]:
    return identity.kind, identity.number_key, identity.supplier.key, identity.customer.key, identity.issue_date


def test_each_kind_is_there_as_often_as_asked() -> None:
    counts = Counter(made.kind for made in CORPUS)
    plain = counts.pop(Kind.INVOICE) + counts.pop(Kind.CREDIT_NOTE)
    assert plain == CORPUS.plain == 339
    assert dict(counts) == CORPUS.kinds()


def test_a_share_counts_as_its_part_of_the_corpus() -> None:
    assert Corpus(1, 200, duplicates=0.05, unknown=2).kinds() == {Kind.DUPLICATE: 10, Kind.UNKNOWN: 2}


def test_a_duplicate_means_what_an_earlier_document_means_under_another_id() -> None:
    plain = identities()
    repeats = by_kind(Kind.DUPLICATE)
    assert all(made.original < made.id for made in repeats)
    assert all(identify(made.ubl).content_sha256 == plain[made.original].content_sha256 for made in repeats)
    originals = {made.id: made.ubl for made in CORPUS}
    assert {made.ubl == originals[made.original] for made in repeats} == {True, False}, "some differ in layout only"


def test_a_changed_document_claims_the_identity_of_an_earlier_one_with_other_content() -> None:
    plain = identities()
    for made in by_kind(Kind.CHANGED):
        again, earlier = identify(made.ubl), plain[made.original]
        assert key(again) == key(earlier)
        assert again.content_sha256 != earlier.content_sha256
        assert profile.load("basic").validate(made.ubl).valid


def test_no_malformed_document_can_be_read() -> None:
    for made in by_kind(Kind.MALFORMED):
        with pytest.raises(MalformedDocument):
            identify(made.ubl)


def test_an_invalid_document_breaks_a_rule_or_is_nobodys() -> None:
    validator = profile.load("basic")
    verdicts = [
        validator.validate(made.ubl).valid and direction(identify(made.ubl), OURS) is not None
        for made in by_kind(Kind.INVALID)
    ]
    assert verdicts == [False] * 8


def test_what_the_destination_will_spoil_is_valid_and_says_so_in_its_number() -> None:
    for kind in (Kind.REFUSED, Kind.UNKNOWN):
        for made in by_kind(kind):
            assert made.number.endswith(f"-{kind.upper()}")
            assert profile.load("basic").validate(made.ubl).valid


def test_every_good_document_belongs_to_one_of_our_administrations() -> None:
    assert all(direction(identity, OURS) is not None for identity in identities().values())


def test_a_place_is_found_by_its_id_and_no_other_id_is() -> None:
    assert [CORPUS.find(made.id) for made in CORPUS] == list(range(400))
    strange = ["11-000000400", "12-000000001", "11-1", "", "11-", "x", "11-00000000²"]
    assert [CORPUS.find(source_id) for source_id in strange] == [None] * len(strange)


def test_keys_rise_with_the_place() -> None:
    keys = [CORPUS.key(n) for n in range(400)]
    assert keys == sorted(set(keys))


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_corpus_needs_a_plain_document(count: int) -> None:
    with pytest.raises(ValueError, match="at least one must be plain"):
        Corpus(1, count, duplicates=5)


def test_an_empty_corpus_is_empty() -> None:
    assert list(Corpus(1, 0)) == []
