"""Fixtures for every test; the real parts start only where a test asks for them."""

pytest_plugins = ["tests.support.stack"]
