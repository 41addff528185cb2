"""A checker that never objects proves nothing: broken variants that it must catch (`./run chaos --controls`: all)."""

import pytest

from tests.chaos.controls import CONTROLS, Control, caught
from tests.chaos.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

FAST = [control for control in CONTROLS if control.fast]


@pytest.mark.parametrize("control", FAST, ids=lambda control: control.name.replace(" ", "-"))
async def test_the_checker_objects_to_a_broken_variant_and_to_nothing_of_the_sound_one(
    on: Stage, control: Control
) -> None:
    violations = await caught(on, control)
    print(violations)
    assert violations != []
