"""Write the last results into docs/reliability.md.

make test                                                     writes .tests.xml
.venv/bin/python -m tests.reliability --results .tests.xml    how each fault's tests ended
.venv/bin/python -m tests.reliability --ledgers .data/chaos/* what campaigns counted
"""

import argparse
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

from tests import ROOT
from tests.reliability.catalogue import DOCUMENT, outcomes_in, with_results
from tests.reliability.ledgers import read, with_ledgers, write_drawings


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability")
    parser.add_argument("--results", type=Path, help="the JUnit file of a whole `make test`")
    parser.add_argument("--ledgers", type=Path, nargs="+", help="folders that `make chaos` wrote")
    options = parser.parse_args()
    document = DOCUMENT.read_text(encoding="utf-8")
    if options.results:
        when = written_at(options.results)
        document = with_results(document, outcomes_in(options.results), when)
    if options.ledgers:
        runs = [read(folder) for folder in sorted(options.ledgers)]
        document = with_ledgers(document, runs, written_at(options.ledgers[0]))
        write_drawings(DOCUMENT.with_suffix(""), runs)
    DOCUMENT.write_text(document, encoding="utf-8")
    return 0


def written_at(path: Path) -> str:
    """The day of the run, and the commit that is checked out."""
    day = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc).date()
    asked = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return f"{day}, commit {commit.strip()}"


if __name__ == "__main__":
    sys.exit(main())
