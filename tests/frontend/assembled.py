"""Puts the frontend of this folder together as npm would, with our package installed.

Its tools (React, Vite, TypeScript, a linter) are in the virtual environment, from the lock beside
it: `make test` puts them there with `npm ci`.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests import ROOT
from tests.support.needs import need, need_program

SOURCES = Path(__file__).parent
PACKAGE = ROOT / "ingress" / "page" / "client"
INSTALLED = Path(sys.prefix) / "frontend"
BOTH_COMPILERS = ("typescript", "typescript-7")


@dataclass(frozen=True)
class Frontend:
    """`tools` is a folder above `app`, so that Node finds what is in it from there."""

    tools: Path
    app: Path

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.app,
            env={**os.environ, "npm_config_update_notifier": "false", **environment},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def must(self, *command: str, **environment: str) -> str:
        ended = self.run(*command, **environment)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def tool(self, name: str) -> str:
        return str(self.tools / ".bin" / name)

    def compiled(self, compiler: str, project: str) -> list[str]:
        """The errors."""
        tsc = str(self.tools / compiler / "bin" / "tsc")
        return self.run("node", tsc, "--project", project).stdout.splitlines()


def assembled(folder: Path) -> Frontend:
    for program in ("node", "npm"):
        need_program(program)
    lock = INSTALLED / "package-lock.json"
    there = (INSTALLED / "node_modules").is_dir() and (
        lock.read_bytes() == (SOURCES / "package-lock.json").read_bytes()
    )
    need("the packages of tests/frontend", None if there else "make test installs them")
    (folder / "node_modules").symlink_to(INSTALLED / "node_modules")
    not_its_own = shutil.ignore_patterns("package*.json", "*.py", "__pycache__")
    shutil.copytree(SOURCES, folder / "app", ignore=not_its_own)
    (folder / "app" / "package.json").write_text('{"private": true, "type": "module"}')
    frontend = Frontend(folder / "node_modules", folder / "app")
    packed = frontend.must("npm", "pack", "--silent", str(PACKAGE)).strip()
    frontend.must("npm", "install", "--offline", "--no-audit", "--no-fund", f"./{packed}")
    return frontend
