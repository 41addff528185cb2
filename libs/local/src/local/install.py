"""Installs the workspace into `.venv`, then becomes the command: `install.py ROOT VERB ...`, called by `./run`.

Standard library only: nothing is installed yet. Installs nothing, in a few hundredths of a second, where the stamp of
the last installation holds: the lock, the members' pyproject files, the Python version and the place are the same.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

MEMBERS = ("libs/*", "services/*", "cli", "orchestration")
UV = "uv>=0.13,<0.14"
# uv reads no pip settings: what a machine sets up for pip (a mirror, its certificate) holds for uv as well.
PIP_TO_UV = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_CERT": "SSL_CERT_FILE",
}


class InstallError(Exception):
    """One line for a person."""


def members(root: Path) -> list[Path]:
    return sorted(path.parent for glob in MEMBERS for path in root.glob(f"{glob}/pyproject.toml"))


def fingerprint(root: Path) -> str:
    """Changes whenever the environment has to be installed anew."""
    digest = hashlib.sha256(f"{root}\n{sys.version}\n{UV}\n".encode())
    for path in (root / "requirements.lock", *(member / "pyproject.toml" for member in members(root))):
        digest.update(f"{path.relative_to(root)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def uv_environment(environment: Mapping[str, str]) -> dict[str, str]:
    translated = {uv: environment[pip] for pip, uv in PIP_TO_UV.items() if pip in environment and uv not in environment}
    return {**environment, **translated}


def ensure_installed(root: Path) -> None:
    """Raises InstallError where that is not possible."""
    stamp = root / ".venv" / "installed.sha256"
    if _is_current(stamp, root):
        return
    (root / ".clearfacts").mkdir(exist_ok=True)
    with (root / ".clearfacts" / "install.lock").open("w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another installation into .venv")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_current(stamp, root):
            stamp.unlink(missing_ok=True)
            install(root, uv=find_uv(root))
            stamp.write_text(fingerprint(root), encoding="ascii")


def find_uv(root: Path) -> str:
    """The path of uv: one that is installed, or a private one."""
    private = root / ".clearfacts" / "uv" / "bin" / "uv"
    for candidate in (shutil.which("uv"), str(private)):
        if candidate is not None and _works([candidate, "--version"]):
            return candidate
    say("installing uv from the package index into .clearfacts/uv")
    shutil.rmtree(private.parent.parent, ignore_errors=True)
    if _works([sys.executable, "-m", "venv", str(private.parent.parent)]):
        pip = [str(private.parent / "python"), "-m", "pip", "install"]
    elif _works([sys.executable, "-m", "pip", "--version"]):  # a Python without ensurepip, as Debian's
        pip = [sys.executable, "-m", "pip", "install", "--target", str(private.parent.parent)]
    else:
        raise InstallError("this Python has neither venv nor pip: install one of them (python3-venv), or uv")
    _step([*pip, "--quiet", "--disable-pip-version-check", UV], "uv could not be installed")
    return str(private)


def install(root: Path, *, uv: str) -> None:
    python = root / ".venv" / "bin" / "python"
    if not _works([str(python), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]):
        say("making .venv")
        _step(
            [uv, "venv", "--quiet", "--clear", "--relocatable", "--python", sys.executable, str(root / ".venv")],
            "no .venv made",
        )
    say("installing the packages of requirements.lock (about 1.1 GB the first time)")
    sync = [uv, "pip", "sync", "--python", str(python), "--require-hashes", "--compile-bytecode"]
    _step([*sync, str(root / "requirements.lock")], "the packages could not be installed")
    say("installing the members of the workspace")
    editable = [argument for member in members(root) for argument in ("-e", str(member))]
    _step(
        [uv, "pip", "install", "--quiet", "--python", str(python), "--no-deps", *editable],
        "the members could not be installed",
    )


def say(line: str) -> None:
    print(f"setup: {line}", file=sys.stderr, flush=True)


def _is_current(stamp: Path, root: Path) -> bool:
    return stamp.exists() and stamp.read_text(encoding="ascii") == fingerprint(root)


def _works(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _step(command: Sequence[str], failure: str) -> None:
    """Run it with its output shown, once more where it failed: a registry may have hiccups."""
    for _ in range(2):
        if _show(command) == 0:
            return
    raise InstallError(f"{failure}: see above; check the network, then start again (what was fetched is kept)")


def _show(command: Sequence[str]) -> int:
    """Run it with what it says on the standard error, less the list of every package where that is no terminal."""
    environment = uv_environment(os.environ)  # noqa: TID251 - uv and pip read their settings there
    if sys.stderr.isatty():
        return subprocess.run(command, env=environment, check=False).returncode
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stderr or ():
                if not line.startswith((" + ", " - ", " ~ ")):
                    say(line.rstrip())
        except BaseException:
            process.kill()
            raise
    return process.returncode


def _interrupt(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)  # by an exception, so that uv is ended as well


def main(root: Path, arguments: Sequence[str]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        ensure_installed(root)
    except (InstallError, OSError) as problem:
        sys.exit(f"error: {problem}")
    python = str(root / ".venv" / "bin" / "python")
    os.execv(python, [python, "-m", "local.run_command", *arguments])


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2:])
