"""Ends every process group of the parts once the starter is gone, standard library only.

Reads `+ GROUP SIGNAL` and `- GROUP` from its standard input. At the end of file, which comes even when the starter was
killed with -9, it sends each group that is left its signal, and KILL three seconds later. It holds the lock of the
data directory until then, so that a new start waits for it.
"""

import os
import signal
import sys
import time
from contextlib import suppress

PATIENCE = 3.0


def send(group: int, number: int) -> bool:
    """Whether the group still exists."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end_all(groups: dict[int, int]) -> None:
    for group, number in groups.items():
        send(group, number)
        send(group, signal.SIGCONT)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and any(send(group, 0) for group in groups):
        time.sleep(0.05)
    for group in groups:
        send(group, signal.SIGKILL)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: dict[int, int] = {}
    for line in sys.stdin:
        match line.split():
            case ["+", group, number]:
                groups[int(group)] = int(number)
            case ["-", group]:
                groups.pop(int(group), None)
            case _:
                continue
    end_all(groups)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
