"""The faults of docs/reliability.md, the tests that prove each, and how those ended.

The document is the catalogue: people write its rows, and only the results behind the names of tests
are generated. A name leads to its test: "a live lease is left alone" in a file is its function
`test_a_live_lease_is_left_alone`, with all its parameters.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from tests import ROOT

DOCUMENT = ROOT / "docs" / "reliability.md"
NOT_RUN = "not run"

_ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_PROOF = re.compile(r"\[([^\]]+)\]\(\.\./(tests/[\w/]+\.py)\): ([\w ,]*\w)")
_OPEN = re.compile(r"open: (.+)$")
_LAST_RUN = re.compile(r"^Last run: .*$", re.MULTILINE)


class Proof(NamedTuple):
    """A test, with all its parameters."""

    file: str
    function: str


Outcomes = Mapping[Proof, Counter[str]]
"""How many cases of a test passed, failed or were skipped."""


@dataclass(frozen=True)
class Fault:
    number: int
    what: str
    must: str
    proofs: tuple[Proof, ...]
    open: str
    """What is not proven yet, and which issue will; empty where nothing is."""

    def state(self, outcomes: Outcomes) -> str:
        """The worst of its tests' results."""
        found = [outcomes.get(proof, Counter()) for proof in self.proofs]
        if any(one["failed"] for one in found):
            return "failed"
        if self.open:
            return "open"
        if not all(found):
            return NOT_RUN
        return "skipped" if any(one["skipped"] for one in found) else "passed"


def catalogue() -> list[Fault]:
    return faults_in(DOCUMENT.read_text(encoding="utf-8"))


def faults_in(document: str) -> list[Fault]:
    return [
        Fault(
            number=int(number),
            what=what,
            must=must,
            proofs=proofs_in(proven),
            open="".join(_OPEN.findall(proven)),
        )
        for number, what, must, proven in _ROW.findall(document)
    ]


def proofs_in(text: str) -> tuple[Proof, ...]:
    return tuple(_proof(name, file) for name, file, _ in _PROOF.findall(text))


def outcomes_in(results: Path) -> Outcomes:
    """Of a JUnit file that pytest has written."""
    found: dict[Proof, Counter[str]] = defaultdict(Counter)
    for case in ET.parse(results).iter("testcase"):
        file = case.attrib["classname"].replace(".", "/") + ".py"
        kinds = {child.tag for child in case}
        ended = "skipped" if "skipped" in kinds else "passed"
        ended = "failed" if kinds & {"failure", "error"} else ended
        found[Proof(file, case.attrib["name"].partition("[")[0])][ended] += 1
    return found


def with_results(document: str, outcomes: Outcomes, when: str) -> str:
    """The document with the results of this run in the place of those of the last one."""
    total = said(sum(outcomes.values(), Counter[str]()))
    document = _LAST_RUN.sub(f"Last run: {when}; {total} in all.", document)
    return _PROOF.sub(
        lambda found: (
            found[0].removesuffix(found[3])
            + said(outcomes.get(_proof(found[1], found[2]), Counter()))
        ),
        document,
    )


def said(counts: Counter[str]) -> str:
    """24 passed; or 1 failed, 23 passed."""
    worst_first = ("failed", "skipped", "passed")
    return ", ".join(f"{counts[one]} {one}" for one in worst_first if counts[one]) or NOT_RUN


def fault_lines(faults: Sequence[Fault], outcomes: Outcomes) -> Iterator[str]:
    """For a terminal: each fault with its state, and how many there are of each."""
    for fault in faults:
        yield f"{fault.number:>3} {fault.state(outcomes):<8} {fault.what}"
    yield ", ".join(
        f"{n} {state}" for state, n in Counter(f.state(outcomes) for f in faults).items()
    )


def _proof(name: str, file: str) -> Proof:
    return Proof(file, f"test_{name.replace(' ', '_')}")
