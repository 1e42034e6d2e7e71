"""A folder, a file and a function are each one idea, and small."""

import ast
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests import ROOT
from tests.unit.house.sources import NAMES, parsed

MOST_FILES = 12
"""Beside each other in a folder, data included."""

MOST_LINES = 300
MOST_LINES_OF_A_FUNCTION = 50


def tracked() -> list[Path]:
    """What is committed, or would be: everything but what .gitignore names."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [Path(name) for name in listed.splitlines() if (ROOT / name).is_file()]


def test_a_folder_can_be_read_at_a_glance() -> None:
    """But the root: make, pip, docker, gcloud and git look for their files there."""
    files = Counter(path.parent for path in tracked())
    assert files.pop(Path()) > 0
    assert {str(folder): n for folder, n in files.items() if n > MOST_FILES} == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_one_idea(name: str) -> None:
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("name", NAMES)
def test_a_function_is_one_thought(name: str) -> None:
    """From `def` to its last line, docstring included."""
    long = [
        node.name
        for node in ast.walk(parsed(name))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or 0) - node.lineno >= MOST_LINES_OF_A_FUNCTION
    ]
    assert long == []
