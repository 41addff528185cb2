"""One word per member, everywhere: folder, package and distribution."""

from pathlib import Path

import pytest

from tests.architecture.source import members, project, shown


@pytest.mark.parametrize("member", members(), ids=shown)
def test_a_member_is_called_like_its_folder(member: Path) -> None:
    described = project(member)
    assert described["project"]["name"] == f"clearfacts-{member.name}"
    assert described["tool"]["uv"]["build-backend"]["module-name"] == member.name
    assert [path.name for path in (member / "src").iterdir() if path.is_dir()] == [member.name]


@pytest.mark.parametrize("member", members(), ids=shown)
def test_a_member_is_described_in_one_line_and_needs_no_readme(member: Path) -> None:
    described = project(member)["project"]
    assert described["description"]
    assert "readme" not in described
    assert not list(member.glob("README*"))


@pytest.mark.parametrize("member", members(), ids=shown)
def test_a_member_runs_on_the_python_of_the_workspace(member: Path) -> None:
    root = next(parent for parent in member.parents if (parent / "requirements.lock").exists())
    assert project(member)["project"]["requires-python"] == project(root)["project"]["requires-python"]


@pytest.mark.parametrize("member", members(), ids=shown)
def test_a_member_is_typed(member: Path) -> None:
    assert (member / "src" / member.name / "py.typed").exists()


@pytest.mark.parametrize("member", members(), ids=shown)
def test_no_folder_escapes_the_import_contracts(member: Path) -> None:
    folders = {path.parent for path in (member / "src").rglob("*.py")}
    assert [shown(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []
