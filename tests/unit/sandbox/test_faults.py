import pytest

from sandbox.control import Player
from sandbox.faults import AFTER, Behaviour, Effect, Rule, Script, distort, spoil
from sandbox.web import Hang, Reply, Reset
from tests.unit.sandbox.calls import content, get, reply, send


def script(**rule: object) -> Script:
    return Script(Behaviour.model_validate({"rules": [{"effect": "refuse", **rule}]}), "post")


def played(script: Script, subjects: list[str]) -> list[bool]:
    return [script.pick("post", subject) is not None for subject in subjects]


def test_a_rule_without_conditions_spoils_every_main_call_and_no_other() -> None:
    always = script()
    assert always.pick("post", "a") is not None
    assert always.pick("get", "a") is None


def test_a_rule_matches_document_numbers_by_regular_expression() -> None:
    assert played(script(matching="-REFUSED$"), ["F-1-REFUSED", "F-1", "REFUSED-1"]) == [True, False, False]


def test_every_third_call() -> None:
    assert played(script(every=3), list("abcdef")) == [False, False, True, False, False, True]


def test_only_the_next_two_calls() -> None:
    assert played(script(next=2), list("abcd")) == [True, True, False, False]


def test_only_the_first_call_for_each_document() -> None:
    assert played(script(times=1), list("abab")) == [True, True, False, False]


def test_a_share_takes_the_same_documents_each_time() -> None:
    numbers = [f"F-{n}" for n in range(2000)]
    first, second = (played(script(share=0.1), numbers) for _ in range(2))
    assert first == second
    assert 150 < sum(first) < 250


def test_the_first_rule_that_holds_wins() -> None:
    rules = [{"effect": "refuse", "matching": "x"}, {"effect": "reset_before"}]
    both = Script(Behaviour.model_validate({"rules": rules}), "post")
    assert [rule.effect for text in ("x", "y") if (rule := both.pick("post", text))] == ["refuse", "reset_before"]


def test_jitter_is_added_to_the_latency_and_never_exceeds_it() -> None:
    moody = Script(Behaviour(latency=0.05, jitter=0.02), "post", seed=1)
    drawn = [moody.latency() for _ in range(200)]
    assert 0.05 <= min(drawn) < 0.055
    assert 0.065 < max(drawn) <= 0.07


@pytest.mark.parametrize("effect", list(Effect))
def test_every_effect_has_a_plan_or_changes_the_reply_or_is_the_faces_own(effect: Effect) -> None:
    rule = Rule(effect=effect, seconds=1)
    changed = distort(rule, Reply(200, b"{}"))
    own = {Effect.LATE_ACCEPT, Effect.ABSENT, Effect.SHIFT}
    assert (spoil(rule) is not None) + (changed != Reply(200, b"{}")) + (effect in own) == 1


def test_only_effects_that_leave_the_document_accepted_are_called_after() -> None:
    assert {effect for effect in Effect if "after" in effect} < AFTER
    assert not {effect for effect in Effect if "before" in effect} & AFTER


def test_too_many_asks_to_wait() -> None:
    spoilt = reply(spoil(Rule(effect=Effect.TOO_MANY, retry_after=7)) or Hang())
    assert (spoilt.status, spoilt.headers) == (429, (("retry-after", "7"),))


def test_a_proxys_page_is_html_and_a_reset_is_a_reset() -> None:
    assert reply(spoil(Rule(effect=Effect.BAD_GATEWAY)) or Hang()).content_type == "text/html"
    assert spoil(Rule(effect=Effect.RESET_AFTER, seconds=2)) == Reset(2)


def test_a_script_is_shown_replaced_and_cleared_while_the_face_runs() -> None:
    player = Player(Behaviour(latency=0.1), "post", frozenset(Effect))
    routes = player.routes()
    rule = {"effect": "refuse", "matching": "^A", "times": 2}
    replaced = content(send(routes["PUT", "/sandbox/faults"], "PUT", "", {"latency": 0.2, "rules": [rule]}))
    assert content(get(routes["GET", "/sandbox/faults"], "")) == replaced
    assert replaced["rules"][0]["matching"] == "^A"
    assert player.script.pick("post", "A1") is not None
    assert content(get(routes["DELETE", "/sandbox/faults"], ""))["latency"] == 0.2
    assert player.script.pick("post", "A1") is None


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"rules": [{"effect": "explode"}]}, "rules.0.effect"),
        ({"rules": [{"effect": "refuse", "matching": "("}]}, "rules.0.matching"),
        ({"rules": [{"effect": "refuse", "shar": 1}]}, "rules.0.shar"),
        ({"rules": [{"effect": "shift"}]}, "no such effect here: shift"),
        ([], "the script: "),
    ],
)
def test_a_wrong_script_is_refused_with_one_line_and_the_old_one_goes_on(body: object, says: str) -> None:
    player = Player(Behaviour.model_validate({"rules": [{"effect": "refuse"}]}), "post", {Effect.REFUSE})
    answer = reply(send(player.routes()["PUT", "/sandbox/faults"], "PUT", "", body))
    assert answer.status == 422
    assert says in content(answer)["error"]["message"]
    assert player.script.pick("post", "a") is not None
