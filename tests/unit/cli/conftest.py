"""What the tests of the command line share."""

from collections.abc import Generator
from pathlib import Path

import pytest
import structlog

from tests.unit.cli.desk import Desk


@pytest.fixture(autouse=True)
def _quiet_gateway() -> Generator[None]:
    """The gateway's log lines would stand between those of the commands: both are one process here."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    yield
    structlog.reset_defaults()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "clearfacts")
