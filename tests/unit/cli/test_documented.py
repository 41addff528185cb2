"""Each `clearfacts ...` that the docs tell people to type is one that the parser takes, with all that it needs."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from cli.main import app

ROOT = Path(__file__).parents[3]
PAGES = ("README.md", "docs/operating.md", "docs/configuration.md", "docs/telemetry.md", "docs/webhooks.md")
USED_WRONGLY = typer.BadParameter.__mro__[1]
"""The parser's own error, of which Typer shows its children only."""

_TYPED = re.compile(r"^(?:\.venv/bin/)?clearfacts (\S.*)$")


def typed(page: str) -> list[str]:
    """The commands of its code blocks, and of its tables and sentences where they are whole."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    return [found[1] for line in [*lines, *spans] if (found := _TYPED.match(line))]


def parse(line: str) -> None:
    """As the shell and the program would. Raises USED_WRONGLY where a word is unknown or one is missing."""
    words = shlex.split(line, comments=True)
    command: Any = get_command(app)
    context: Any = None
    while hasattr(command, "resolve_command"):
        context = command.make_context("clearfacts", [], parent=context, resilient_parsing=True)
        context.resilient_parsing = False
        _, command, words = command.resolve_command(context, words)
    command.make_context("clearfacts", words, parent=context)


@pytest.mark.parametrize("page", PAGES)
def test_what_the_docs_tell_people_to_type_can_be_typed(page: str) -> None:
    lines = typed(page)
    assert len(lines) > 3
    with CliRunner().isolation("name\npassword\n"):  # for those that ask
        for line in lines:
            parse(line)


@pytest.mark.parametrize("line", ["dlq lst", "held resolve N", "replay pause", "pause sender --why x --reason y"])
def test_control_what_cannot_be_typed_is_found(line: str) -> None:
    with pytest.raises(USED_WRONGLY):
        parse(line)
