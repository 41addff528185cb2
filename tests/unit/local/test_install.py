"""What `./run` does before anything is installed: when it installs, and with what."""

from pathlib import Path

import pytest

from local.install import ensure_installed, fingerprint, members, uv_environment


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for member in ("libs/common", "services/sender", "cli"):
        (tmp_path / member).mkdir(parents=True)
        (tmp_path / member / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "libs" / "no-member").mkdir()
    (tmp_path / "requirements.lock").write_text("ruff==1\n")
    (tmp_path / ".venv").mkdir()
    return tmp_path


def test_every_folder_with_a_project_is_a_member(root: Path) -> None:
    assert [str(member.relative_to(root)) for member in members(root)] == ["cli", "libs/common", "services/sender"]


@pytest.mark.parametrize("changed", ["requirements.lock", "services/sender/pyproject.toml"])
def test_a_changed_lock_or_member_asks_for_an_installation(root: Path, changed: str) -> None:
    before = fingerprint(root)

    (root / changed).write_text("changed")

    assert fingerprint(root) != before


def test_a_new_member_asks_for_an_installation(root: Path) -> None:
    before = fingerprint(root)

    (root / "libs" / "no-member" / "pyproject.toml").touch()

    assert fingerprint(root) != before


def test_nothing_is_done_where_the_stamp_holds(root: Path) -> None:
    (root / ".venv" / "installed.sha256").write_text(fingerprint(root))

    ensure_installed(root)

    assert not (root / ".clearfacts").exists()


def test_what_is_set_up_for_pip_holds_for_uv() -> None:
    environment = {"PIP_INDEX_URL": "a", "PIP_CERT": "b", "SSL_CERT_FILE": "c", "HOME": "d"}

    assert uv_environment(environment) == {**environment, "UV_DEFAULT_INDEX": "a"}
