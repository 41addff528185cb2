"""What Linux knows of processes: CPU seconds and memory of whole trees, and how busy the machine is."""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
_GONE = (FileNotFoundError, ProcessLookupError)


@dataclass(frozen=True, slots=True)
class Process:
    """`cpu`: seconds of user and system time, with those of its children that have ended."""

    pid: int
    parent: int
    cpu: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident bytes; in `pss` a page that n processes share counts as one n-th."""

    rss: int
    pss: int

    def __add__(self, other: "Memory") -> "Memory":
        return Memory(self.rss + other.rss, self.pss + other.pss)


def parse_stat(line: str) -> Process:
    """Read `/proc/PID/stat` (proc_pid_stat(5)); the name in brackets may hold anything, also brackets."""
    name_ends = line.rindex(")")
    fields = line[name_ends + 2 :].split()
    return Process(int(line.split(" ", 1)[0]), int(fields[1]), sum(map(int, fields[11:15])) / TICKS)


def parse_busy(stat: str) -> float:
    """CPU seconds since the boot that were not idle, from `/proc/stat`: all but the columns idle and iowait.

    Guest time is in the column user as well, so the columns for guests are left out.
    """
    user, nice, system, _, _, irq, softirq, steal = map(int, stat.split("\n", 1)[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS


def parse_memory(rollup: str) -> Memory:
    """Read `/proc/PID/smaps_rollup`."""
    kilobytes = {words[0]: int(words[1]) for line in rollup.splitlines()[1:] if (words := line.split())}
    return Memory(kilobytes["Rss:"] * 1024, kilobytes["Pss:"] * 1024)


def tree(root: int, processes: Mapping[int, Process]) -> set[int]:
    """`root` and all its descendants that are alive."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for process in processes.values():
        children[process.parent].append(process.pid)
    found: set[int] = set()
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        if pid in processes and pid not in found:
            found.add(pid)
            waiting.extend(children[pid])
    return found


def cpu_of(root: int, processes: Mapping[int, Process]) -> float:
    return sum(processes[pid].cpu for pid in tree(root, processes))


def processes_now() -> dict[int, Process]:
    found: dict[int, Process] = {}
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            with suppress(*_GONE):
                process = parse_stat((entry / "stat").read_text(encoding="utf-8", errors="replace"))
                found[process.pid] = process
    return found


def busy_now() -> float:
    return parse_busy((PROC / "stat").read_text(encoding="ascii"))


def memory_of(pids: Iterable[int]) -> Memory:
    """The sum; processes that have ended or that are not ours to look at count nothing."""
    total = Memory(0, 0)
    for pid in pids:
        with suppress(*_GONE, PermissionError):
            total += parse_memory((PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii", errors="replace"))
    return total
