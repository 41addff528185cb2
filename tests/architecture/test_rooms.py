"""What a room may import from outside the workspace. Who may import whom inside it: `[tool.importlinter]`."""

import sys
from collections.abc import Mapping

from tests.architecture.source import SERVICES, imported, module_name, shown, sources

WORKSPACE = {"common", "ubl", "sandbox", "local", "client", "cli", "orchestration", *SERVICES}
IO = frozenset({
    "asyncio", "concurrent", "fcntl", "http", "io", "logging", "multiprocessing", "os", "pathlib", "shutil", "signal",
    "smtplib", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "urllib",
})  # fmt: skip
PURE = sys.stdlib_module_names - IO
STORY = PURE | {"asyncio", "structlog"}

ROOMS: Mapping[str, frozenset[str]] = {
    "common.invoice": PURE,
    "common.errors": PURE,
    "common.configuration": PURE,
    "common.halves": PURE,
    "common.storm": PURE,
    "common.waits": PURE,
    "common.isolation": STORY,
    "common.clock": PURE | {"uuid_utils"},
    "common.contracts": PURE | {"pydantic"},
    "ubl": PURE | {"lxml", "pathlib"},
    "fetcher.planning": PURE,
    "fetcher.balance": PURE,
    "sender.pump": STORY,
    "sender.settling": STORY,
    **{f"{service}.{room}": PURE for service in (*SERVICES, "orchestration") for room in ("domain", "ports")},
    "gateway.replay": STORY,
    "gateway.invoices": STORY,
    **{f"{service}.use_cases": STORY for service in (*SERVICES, "orchestration")},
}
"""Import names that each room may use besides those of the workspace."""


def room_of(module: str) -> str | None:
    return next((room for room in ROOMS if module == room or module.startswith(f"{room}.")), None)


def test_pure_rooms_import_nothing_that_touches_the_world() -> None:
    broken = [
        f"{shown(path)}:{line} imports {name}"
        for path in sources()
        if (room := room_of(module_name(path))) is not None
        for line, name in imported(path)
        if (top := name.split(".")[0]) not in WORKSPACE and top not in ROOMS[room]
    ]
    assert not broken, "\n".join(broken)


def test_every_room_of_the_list_exists_or_is_left_out_on_purpose() -> None:
    modules = {module_name(path) for path in sources()}
    missing = {room for room in ROOMS if room not in modules}
    assert missing == {"sender.use_cases"}  # its stories are pump and settling
