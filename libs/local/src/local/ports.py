"""Free ports on the loopback address, kept from one start to the next."""

import errno
import json
import random
import socket
from collections.abc import Mapping
from pathlib import Path

from local.errors import LocalError
from local.probes import HOST

# Below the range from which the system gives out ports to clients, so that a restarted part finds its port free
# and no client can connect to itself while the part is down.
CHOICE = range(20_000, 30_000)
TRIES = 200


def is_free(port: int) -> bool:
    """Whether a part could listen there; LocalError where only root could."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EACCES:
                raise LocalError(f"port {port} is for root only: choose one above 1023") from None
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True


def require_free(port: int, name: str) -> None:
    """Raise LocalError where `port` is taken."""
    if not is_free(port):
        raise LocalError(f"port {port} for {name} is in use: stop what listens there, or choose another port")


class Ports:
    """The ports of one data directory: a wanted one, else that of the last start, else any free one."""

    def __init__(self, memory: Path, wanted: Mapping[str, int]) -> None:
        self._memory = memory
        self._wanted = wanted
        self._known: dict[str, int] = _remembered(memory)
        self._taken: set[int] = set()

    def choose(self, name: str) -> int:
        port = self._wanted.get(name)
        if port is not None:
            require_free(port, name)
        else:
            port = self._known.get(name)
            if port is None or port in self._taken or not is_free(port):
                port = self._any_free(name)
        self._taken.add(port)
        self._known[name] = port
        self._memory.write_text(json.dumps(self._known, indent=1), encoding="utf-8")
        return port

    def _any_free(self, name: str) -> int:
        avoid = self._taken | set(self._wanted.values())
        for port in random.SystemRandom().sample(CHOICE, TRIES):
            if port not in avoid and is_free(port):
                return port
        raise LocalError(f"no free port for {name} between {CHOICE.start} and {CHOICE.stop}: name one that is free")


def _remembered(memory: Path) -> dict[str, int]:
    try:
        return json.loads(memory.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
