"""ingress/page/client/activations.js: its own tests, and once against the running pipeline."""

import re
import subprocess
from pathlib import Path

from tests import ROOT
from tests.e2e.pipeline import Pipeline
from tests.support.needs import need_program

FOLDER = ROOT / "tests" / "javascript"


def node(*arguments: str) -> str:
    ended = subprocess.run(
        [need_program("node"), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_its_own_tests_pass() -> None:
    said = node("--test", *map(str, sorted(FOLDER.glob("*.test.mjs"))))
    assert "# fail 0" in said
    assert "# skipped 0" in said
    assert "# pass 0" not in said


def test_it_speaks_with_the_running_pipeline(pipeline: Pipeline) -> None:
    said = node(str(FOLDER / "live.mjs"), pipeline.url)
    assert said.splitlines()[-1] == "the whole journey", said


def test_it_has_no_dependency() -> None:
    text = (ROOT / "ingress" / "page" / "client" / "activations.js").read_text(encoding="utf-8")
    assert not re.search(r"^import |\bimport\(|\brequire\(", text, re.MULTILINE)
    assert not list(Path(ROOT).glob("package*.json"))
