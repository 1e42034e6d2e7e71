"""`make test` runs the suite in two halves, on several workers."""

from collections import Counter
from pathlib import Path

import pytest

from tests import ROOT
from tests.__main__ import join
from tests.reliability.catalogue import Proof, outcomes_in
from tests.support import emulators

HALF = """<testsuites><testsuite><testcase classname="tests.unit.test_{0}" name="test_it"/>
</testsuite></testsuites>"""


def test_every_test_module_is_in_a_folder_that_is_run(pytestconfig: pytest.Config) -> None:
    run = [ROOT / folder for folder in pytestconfig.getini("testpaths")]
    modules = list((ROOT / "tests").rglob("test_*.py"))
    assert [file for file in modules if not set(run) & set(file.parents)] == []
    assert [folder for folder in run if not any(folder.rglob("test_*.py"))] == []


def test_the_results_of_both_halves_are_in_one_file(tmp_path: Path) -> None:
    halves = [tmp_path / "first.xml", tmp_path / "second.xml"]
    for half in halves:
        half.write_text(HALF.format(half.stem))
    join(halves, tmp_path / "whole.xml")
    assert outcomes_in(tmp_path / "whole.xml") == {
        Proof("tests/unit/test_first.py", "test_it"): Counter(passed=1),
        Proof("tests/unit/test_second.py", "test_it"): Counter(passed=1),
    }


def test_no_two_workers_are_given_the_same_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulators, "WORKERS", 3)
    ports: list[set[int]] = []
    for worker in range(3):
        monkeypatch.setattr(emulators, "WORKER", worker)
        ports.append({emulators.free_port() for _ in range(20)})
    assert all(len(one) == 20 for one in ports)
    # A pair of ports belongs to one worker.
    assert len(set().union(*({port // 2 for port in one} for one in ports))) == sum(
        len({port // 2 for port in one}) for one in ports
    )
