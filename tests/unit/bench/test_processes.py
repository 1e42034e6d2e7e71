"""CPU time and memory, as /proc has them."""

import os
import subprocess
import sys

from bench.compare.processes import tree, usage

STARTS_ANOTHER = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
SAYS_SO = "print('up', flush=True); input()"


def test_a_process_of_a_process_is_counted_by_its_own_name() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_ANOTHER, SAYS_SO],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as outer:
        assert outer.stdout is not None
        assert outer.stdout.readline() == b"up\n"
        inner = f"-c {SAYS_SO}"
        found = usage({"outer": [outer.pid]}, {inner: "inner"})
        outer.communicate(b"\n")
    assert set(found.cpu) == set(found.rss) == {"outer", "inner"}
    assert found.rss["inner"] > 1


def test_what_has_ended_is_not_counted() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert usage({"ended": [ended.pid]}, {}).cpu == {}


def test_the_tree_of_a_process_begins_with_itself() -> None:
    assert tree([os.getpid()])[0] == os.getpid()
