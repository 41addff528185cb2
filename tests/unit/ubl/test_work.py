import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from tests.unit.ubl.documents import SAMPLE, Document
from ubl.identity import Identity, identify
from ubl.profile import load
from ubl.safe import Malformation, MalformedDocument
from ubl.work import identify_many, validate_many, warm


def test_a_profile_is_compiled_once() -> None:
    warm("basic")
    assert load("basic") is load("basic")


def test_workers_answer_in_order() -> None:
    raws = [SAMPLE, b"<", Document().xml()]
    found = identify_many(raws)
    assert [type(each).__name__ for each in found] == ["Identity", "MalformedDocument", "Identity"]
    assert [each.valid for each in validate_many("basic", raws)] == [True, False, True]


def test_answers_come_back_from_another_process() -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=warm, initargs=("basic",)) as pool:
        identity, malformed = pool.submit(identify_many, [SAMPLE, b"<"]).result()
        verdicts = pool.submit(validate_many, "basic", [SAMPLE]).result()
    assert isinstance(identity, Identity)
    assert identity == identify(SAMPLE)
    assert isinstance(malformed, MalformedDocument)
    assert malformed.code is Malformation.SYNTAX
    assert verdicts == validate_many("basic", [SAMPLE])
