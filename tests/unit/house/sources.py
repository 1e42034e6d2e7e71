"""The modules of this repository, and what each imports of the others."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests import ROOT

PARTS = ("shared", "ingress", "worker", "local")
"""The four that run. What stands beside them (tests, bench, deploy) none of them may import."""

OURS = (*PARTS, "tests", "bench", "deploy")


def files(*packages: str) -> list[str]:
    found = (file for package in packages for file in (ROOT / package).rglob("*.py"))
    return sorted(str(file.relative_to(ROOT)) for file in found)


NAMES = files(*PARTS)


def module(name: str) -> str:
    return ".".join(Path(name).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(name): name for name in files(*OURS)}


@cache
def parsed(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"))


def imported(name: str) -> Iterator[str]:
    """The names of modules, ours and others, as the file writes them; inside functions too."""
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module or "."


def imported_of_ours(name: str) -> set[str]:
    return {wanted for wanted in imported(name) if wanted in MODULES}
