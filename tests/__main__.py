"""`make test`: the whole suite, and how the faults of docs/reliability.md fared in it.

Most of a test's time is spent waiting for processes, so that three workers suit two cores. What is
marked `alone` comes after them, one by one. Both halves always run; all results are in .tests.xml.
"""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests import ROOT
from tests.reliability.catalogue import catalogue, fault_lines, outcomes_in

RESULTS = ROOT / ".tests.xml"
WORKERS = 3
# In the folders' order, the quick ones first; the default is the files with most tests first.
TOGETHER = ("-n", str(WORKERS), "--dist", "loadfile", "--no-loadscope-reorder")
HALVES = (("-m", "not alone", *TOGETHER), ("-m", "alone"))
PLAN = f"""\
Runs unit, http, contract, e2e and browser on {WORKERS} workers, then chaos and what measures time
one by one: about 12 minutes on two cores. `make quick` runs unit and http alone, in a minute."""


def main() -> int:
    say(PLAN)
    RESULTS.unlink(missing_ok=True)
    # Ctrl-C reaches pytest as well, which ends what its tests have started; we wait for that.
    signal.signal(signal.SIGINT, lambda *_: None)
    parts: list[Path] = []
    failed = False
    for number, how in enumerate(HALVES):
        parts.append(RESULTS.with_suffix(f".{number}.xml"))
        code = run(how, parts[-1])
        if code == pytest.ExitCode.INTERRUPTED:
            return code
        failed = failed or code != pytest.ExitCode.OK
    join(parts, RESULTS)
    say("The faults of docs/reliability.md:", *fault_lines(catalogue(), outcomes_in(RESULTS)))
    return int(failed)


def run(how: Sequence[str], results: Path) -> int:
    """pytest's exit code."""
    asked = [sys.executable, "-m", "pytest", *how, f"--junitxml={results}"]
    return subprocess.run(asked, cwd=ROOT, check=False).returncode


def join(parts: Sequence[Path], whole: Path) -> None:
    """Several JUnit files become one."""
    suites = ET.Element("testsuites")
    for part in parts:
        suites.extend(ET.parse(part).getroot())
        part.unlink()
    ET.ElementTree(suites).write(whole, encoding="unicode")


def say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
