"""Becomes one part: `launch.py PARENT SIGNAL same|nobody ARGV...`, standard library only.

The part gets SIGNAL when its parent ends, however that happens. With `nobody` it runs in a user namespace in which
root is the unprivileged user 65534: PostgreSQL refuses to run as root, and no user has to be made for it.
"""

import ctypes
import os
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
NOBODY = 65534


def become_nobody(libc: ctypes.CDLL) -> None:
    try:
        if libc.unshare(CLONE_NEWUSER) != 0:
            raise PermissionError
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{NOBODY} 0 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{NOBODY} 0 1", encoding="ascii")
    except OSError:
        sys.exit("cannot make a user namespace, which PostgreSQL needs under root: start as an ordinary user")


def main(parent: int, death_signal: int, user: str, argv: list[str]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if user == "nobody":
        become_nobody(libc)
    if sys.platform == "linux":
        # After the change of user, which clears it; kept over exec.
        libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the starter is gone")
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        sys.exit(f"cannot start {argv[0]}: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
