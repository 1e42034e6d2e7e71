"""Who may import whom, and what a module may not do."""

import ast
import graphlib
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests import ROOT
from tests.unit.house.sources import (
    MODULES,
    NAMES,
    OURS,
    PARTS,
    imported,
    imported_of_ours,
    module,
    parsed,
)

BETWEEN_PARTS = {
    "shared": {"shared"},
    "ingress": {"ingress", "shared"},
    "worker": {"worker", "shared"},
    "local": {"local", "ingress", "worker", "shared"},
}

NOTHING: set[str] = set()

INSIDE: dict[str, set[str]] = {
    # From a folder, or a file that stands for itself, to those of its part that it may import. The
    # longest name counts. What is not named (main, app, wiring) puts a part together: it may
    # import all of it, and no folder imports it.
    "ingress.api": {
        *("ingress.submit", "ingress.api.request", "ingress.api.idempotency"),
        "ingress.api.sentences",
    },
    "ingress.api.idempotency": {"ingress.api.request"},
    "ingress.api.request": {"ingress.api.sentences"},
    "ingress.api.sentences": NOTHING,
    "ingress.openapi": {"ingress.api", "ingress.api.request"},
    "ingress.page": NOTHING,
    "ingress.submit": {
        *("ingress.api.request", "ingress.api.idempotency", "ingress.api.sentences"),
    },
    "worker.http": {"worker.pipeline"},
    "worker.pipeline": {"worker.gemini", "worker.fallback", "worker.safety"},
    "worker.gemini": NOTHING,
    "worker.evaluate": {"worker.gemini", "worker.wiring"},
    "worker.wiring": {
        *("worker.pipeline", "worker.board", "worker.gemini", "worker.fallback", "worker.safety"),
    },
    "worker.fallback": NOTHING,
    "worker.safety": NOTHING,
    "worker.board": {"worker.gemini"},
    "shared.errors": NOTHING,
    "shared.clock": NOTHING,
    "shared.total_deadline": NOTHING,
    "shared.domain": {"shared.errors"},
    "shared.gemini_models": NOTHING,
    "shared.settings": {"shared.errors", "shared.gemini_models"},
    "shared.start_checks": {"shared.errors", "shared.settings"},
    "shared.stored_documents": {"shared.errors"},
    "shared.ports": {"shared.domain"},
    "shared.google": {
        *("shared.domain", "shared.errors", "shared.ports", "shared.settings"),
        "shared.stored_documents",
    },
    "shared.auth": {"shared.errors", "shared.total_deadline"},
    "shared.drain": NOTHING,
    "shared.periodic": NOTHING,
    "shared.start": {"shared.drain", "shared.errors", "shared.settings", "shared.telemetry"},
    "shared.http": {
        *("shared.clock", "shared.drain", "shared.errors", "shared.ports", "shared.settings"),
    },
    "shared.telemetry": {"shared.domain", "shared.ports", "shared.settings"},
    "local.sqlite": NOTHING,
    "local.run": {
        *("local.sqlite", "local.emulators", "local.periodic"),
        *("local.run.processes", "local.run.ports_in_use"),
    },
    "local.run.processes": NOTHING,
    "local.run.ports_in_use": NOTHING,
    "local.periodic": NOTHING,
    "local.emulators": {"local.periodic", "local.run.processes", "local.run.ports_in_use"},
}

MAY_READ_THE_CLOCK = {
    "shared/clock.py": "it is the clock that everybody else is given",
}
MAY_SLEEP = {
    "local/emulators/programs.py": "waits for another process to listen; nothing tells us when",
    "local/run/processes.py": "waits for several children to end, within one grace period",
}


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


def calls(tree: ast.Module) -> set[str]:
    """The dotted names of everything called, wherever it stands."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def folder(module_name: str) -> str | None:
    """The longest name of INSIDE that the module is or stands in."""
    found = [known for known in INSIDE if is_in(module_name, known)]
    return max(found, key=len, default=None)


def is_in(module_name: str, parent: str) -> bool:
    return f"{module_name}.".startswith(f"{parent}.")


# Arrows


def test_all_four_parts_are_looked_at() -> None:
    assert {name.partition("/")[0] for name in NAMES} == set(PARTS) == set(BETWEEN_PARTS)


@pytest.mark.parametrize("name", NAMES)
def test_arrows_between_parts_are_kept(name: str) -> None:
    part = name.partition("/")[0]
    found = {wanted.partition(".")[0] for wanted in imported(name)}
    assert found & set(OURS) <= BETWEEN_PARTS[part]


@pytest.mark.parametrize("name", NAMES)
def test_arrows_inside_a_part_are_kept(name: str) -> None:
    here = folder(module(name))
    if here is None:
        return
    part = here.partition(".")[0]
    inside = {wanted for wanted in imported_of_ours(name) if is_in(wanted, part)}
    strange = {wanted for wanted in inside if folder(wanted) not in {here, *INSIDE[here]}}
    assert strange == set()


def test_each_folder_of_a_part_has_its_arrows_and_each_name_is_still_there() -> None:
    folders = {known.rpartition(".")[0] for known in MODULES if known.count(".") == 2}
    assert {known for known in folders if known.partition(".")[0] in PARTS} <= set(INSIDE)
    assert {known for known in INSIDE if known not in MODULES} == set()


def test_the_arrows_inside_the_parts_make_no_circle() -> None:
    graphlib.TopologicalSorter(INSIDE).prepare()


def test_no_two_files_import_each_other() -> None:
    """Neither directly nor through others, nor inside functions; tests included."""
    graph = {known: imported_of_ours(name) for known, name in MODULES.items()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        circle = [f"{wanted} <- {one}" for wanted, one in pairwise(error.args[1])]
        pytest.fail(f"these import each other: {circle}")


@pytest.mark.parametrize("name", [name for name in MODULES.values() if name.startswith("tests/")])
def test_no_test_imports_another_test(name: str) -> None:
    files = {wanted.rpartition(".")[2] for wanted in imported_of_ours(name)}
    assert not [file for file in files if file.startswith("test_")]


# What a module may not do


@pytest.mark.parametrize("name", NAMES)
def test_imports_are_absolute(name: str) -> None:
    """So that the arrows can be read off them."""
    nodes = ast.walk(parsed(name))
    assert not [node for node in nodes if isinstance(node, ast.ImportFrom) and node.level]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_imported_by_a_name_made_at_run_time(name: str) -> None:
    assert not calls(parsed(name)) & {
        "__import__",
        "importlib.import_module",
        "import_module",
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_environment_is_not_read_at_import_time(name: str) -> None:
    """Neither directly nor through the settings."""
    found = [ast.unparse(node) for node in at_import_time(parsed(name))]
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
    found = calls(parsed(name)) & clocks
    assert not found or name in MAY_READ_THE_CLOCK


@pytest.mark.parametrize("name", NAMES)
def test_sleep_is_an_argument(name: str) -> None:
    assert "time.sleep" not in calls(parsed(name)) or name in MAY_SLEEP


@pytest.mark.parametrize("name", NAMES)
def test_sleep_and_clock_are_called_by_their_full_names(name: str) -> None:
    """So that the two tests above see them."""
    nodes = ast.walk(parsed(name))
    assert not [n for n in nodes if isinstance(n, ast.ImportFrom) and n.module == "time"]


@pytest.mark.parametrize("name", sorted({*MAY_READ_THE_CLOCK, *MAY_SLEEP}))
def test_an_exception_is_still_needed(name: str) -> None:
    assert calls(parsed(name)) & {"datetime.now", "time.sleep"}


@pytest.mark.parametrize("name", NAMES)
def test_a_module_says_what_it_is_for(name: str) -> None:
    assert ast.get_docstring(parsed(name))
