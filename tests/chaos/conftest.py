"""One system for the controls and the scenarios: starting it takes longer than most of them."""

from collections.abc import AsyncGenerator

import pytest

from tests.chaos.stage import Stage, stage


@pytest.fixture(scope="package")
async def on(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Stage, None]:
    folder = tmp_path_factory.mktemp("chaos")
    async with stage(folder / "data", folder / "documents") as running:
        yield running
