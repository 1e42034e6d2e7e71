"""The shape of the house: who may import whom, and what happens at import time (nothing)."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT

MOST_LINES = 300

MAY_IMPORT = {
    "shared": {"shared"},
    "ingress": {"ingress", "shared"},
    "worker": {"worker", "shared"},
    "local": {"local", "ingress", "worker", "shared"},
}
OURS = {*MAY_IMPORT, "tests", "bench", "deploy"}

FILES = sorted(file for package in MAY_IMPORT for file in (ROOT / package).rglob("*.py"))
NAMES = [str(file.relative_to(ROOT)) for file in FILES]

MAY_READ_THE_CLOCK = {
    "shared/clock.py": "it is the clock that everybody else is given",
}
MAY_SLEEP = {
    "local/emulators/programs.py": "waits for another process to listen; nothing tells us when",
    "local/run/processes.py": "waits for several children to end, within one grace period",
}


def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imported(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


def at_import_time(node: ast.AST) -> Iterator[ast.AST]:
    """Everything that runs when the module is imported: all but the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            parts: list[ast.AST] = [*child.decorator_list, child.args]
        elif isinstance(child, ast.Lambda):
            parts = [child.args]
        else:
            parts = [child]
        for part in parts:
            yield part
            yield from at_import_time(part)


def calls(module: ast.Module) -> set[str]:
    """The dotted names of everything called, wherever it stands."""
    return {ast.unparse(node.func) for node in ast.walk(module) if isinstance(node, ast.Call)}


def test_all_four_packages_are_looked_at() -> None:
    assert {name.partition("/")[0] for name in NAMES} == set(MAY_IMPORT)


@pytest.mark.parametrize("name", NAMES)
def test_arrows_of_import_are_kept(name: str) -> None:
    package = name.partition("/")[0]
    found = {wanted.partition(".")[0] for wanted in imported(parsed(ROOT / name))}
    assert found & OURS <= MAY_IMPORT[package]


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("shared/domain/")])
def test_the_domain_imports_nothing_of_ours_but_itself_and_the_errors(name: str) -> None:
    ours = {wanted for wanted in imported(parsed(ROOT / name)) if wanted.partition(".")[0] in OURS}
    assert not [
        wanted for wanted in ours if not wanted.startswith(("shared.domain.", "shared.errors"))
    ]


@pytest.mark.parametrize("name", NAMES)
def test_imports_are_absolute(name: str) -> None:
    """So that the arrows can be read off them."""
    nodes = ast.walk(parsed(ROOT / name))
    assert not [node for node in nodes if isinstance(node, ast.ImportFrom) and node.level]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_imported_by_a_name_made_at_run_time(name: str) -> None:
    assert not calls(parsed(ROOT / name)) & {
        "__import__",
        "importlib.import_module",
        "import_module",
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_environment_is_not_read_at_import_time(name: str) -> None:
    """Neither directly nor through the settings."""
    found = [ast.unparse(node) for node in at_import_time(parsed(ROOT / name))]
    forbidden = ("os.environ", "os.getenv", "getenv", "environ", "read_settings()", "Settings()")
    assert not [text for text in found if text in forbidden]


def test_importing_every_module_starts_no_thread() -> None:
    modules = [name.removesuffix(".py").replace("/", ".") for name in NAMES]
    program = (
        "import importlib, sys, threading\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name.removesuffix('.__init__'))\n"
        "    assert threading.active_count() == 1, f'{name} starts a thread'\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *modules],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_one_idea(name: str) -> None:
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("name", NAMES)
def test_the_clock_is_an_argument(name: str) -> None:
    clocks = {
        "datetime.now",
        "datetime.datetime.now",
        "datetime.utcnow",
        "datetime.datetime.utcnow",
        "datetime.today",
        "date.today",
        "time.time",
    }
    found = calls(parsed(ROOT / name)) & clocks
    assert not found or name in MAY_READ_THE_CLOCK


@pytest.mark.parametrize("name", NAMES)
def test_sleep_is_an_argument(name: str) -> None:
    assert "time.sleep" not in calls(parsed(ROOT / name)) or name in MAY_SLEEP


@pytest.mark.parametrize("name", NAMES)
def test_sleep_and_clock_are_called_by_their_full_names(name: str) -> None:
    """So that the two tests above see them."""
    nodes = ast.walk(parsed(ROOT / name))
    assert not [n for n in nodes if isinstance(n, ast.ImportFrom) and n.module == "time"]


@pytest.mark.parametrize("name", sorted({*MAY_READ_THE_CLOCK, *MAY_SLEEP}))
def test_an_exception_is_still_needed(name: str) -> None:
    assert calls(parsed(ROOT / name)) & {"datetime.now", "time.sleep"}


@pytest.mark.parametrize("name", NAMES)
def test_a_module_says_what_it_is_for(name: str) -> None:
    assert ast.get_docstring(parsed(ROOT / name))
