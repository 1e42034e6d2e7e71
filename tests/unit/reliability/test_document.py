"""docs/reliability.md names every fault once, and only tests that are there."""

import ast
import re

import pytest

from tests import ROOT
from tests.reliability.catalogue import DOCUMENT, Fault, catalogue, proofs_in, with_results

TEXT = DOCUMENT.read_text(encoding="utf-8")
FAULTS = catalogue()


def test_the_faults_are_numbered_without_a_gap() -> None:
    assert len(FAULTS) >= 66
    assert [fault.number for fault in FAULTS] == list(range(1, len(FAULTS) + 1))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.number))
def test_each_fault_has_a_test_or_says_what_is_open(fault: Fault) -> None:
    assert fault.proofs or fault.open


@pytest.mark.parametrize("file", sorted({proof.file for proof in proofs_in(TEXT)}))
def test_each_test_that_is_named_is_there(file: str) -> None:
    assert file.rpartition("/")[2].startswith("test_")
    there = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
    functions = {one.name for one in there if isinstance(one, ast.FunctionDef)}
    assert {proof.function for proof in proofs_in(TEXT) if proof.file == file} <= functions


def test_each_name_of_a_test_is_followed_by_a_result() -> None:
    """One that is written in another way would not be found, and not be renewed."""
    assert TEXT.count("](../tests/") == with_results(TEXT, {}, "never").count("): not run")


def test_each_figure_of_a_cost_is_in_what_it_links_to() -> None:
    table = TEXT.partition("## What the promises cost")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \| ([^|]+) \|$", table, re.MULTILINE)[2:]
    assert len(rows) >= 8
    for cost, source in rows:
        links = re.findall(r"\]\(([^)#]+)", source)
        told = "".join((DOCUMENT.parent / link).read_text(encoding="utf-8") for link in links)
        figures = re.findall(r"\d[\d.,]*\d|\d", cost)
        missing = [one for one in figures if not re.search(rf"(?<!\d){re.escape(one)}(?!\d)", told)]
        assert missing == [], source
