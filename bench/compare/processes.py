"""CPU time and memory of processes, from /proc (page: proc(5))."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024


def cpu_seconds(pid: int) -> float:
    """User and system time."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Resident, in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


@dataclass(frozen=True)
class Usage:
    """By name of the process: seconds of CPU since its start, MiB resident."""

    cpu: Mapping[str, float]
    rss: Mapping[str, float]


def usage(roots: Mapping[str, Sequence[int]], inner: Mapping[str, str]) -> Usage:
    """Of the roots, by name, and all that they have started. `inner` names a descendant by a part
    of its command line; others count to their root."""
    cpu: dict[str, float] = {}
    rss: dict[str, float] = {}
    for name, started in roots.items():
        for pid in tree(started):
            try:
                called = next((n for part, n in inner.items() if part in _command(pid)), name)
                used, resident = cpu_seconds(pid), memory(pid)
            except OSError:
                continue  # it has ended meanwhile
            cpu[called] = cpu.get(called, 0.0) + used
            rss[called] = rss.get(called, 0.0) + resident
    return Usage(cpu, rss)


def tree(roots: Sequence[int]) -> list[int]:
    """The processes and their descendants."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(_stat(int(entry.name))[1])
            except OSError:
                continue
    family = list(roots)
    for pid in family:
        family.extend(child for child, parent in parents.items() if parent == pid)
    return family


def _stat(pid: int) -> list[str]:
    """The fields after the command's name, which may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
