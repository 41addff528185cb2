"""Fixtures for every test; the real parts start only where a test asks for them."""

import pytest
import structlog

pytest_plugins = ["tests.support.stack"]


@pytest.fixture(autouse=True)
def _logs_as_they_come() -> None:
    """Dagster configures structlog for the whole process when it starts anything."""
    structlog.reset_defaults()
