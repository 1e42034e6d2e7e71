"""The commands of the README and the guides work from a fresh shell in the clone.

Each is run here, or stands in NOT_RUN with the reason and what runs it instead.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests import ROOT

DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])

RUN = (
    ".venv/bin/python -m bench.capacity",
    ".venv/bin/python -m bench.estimate",
    "deploy/deploy.sh --dry-run",
)

NOT_RUN = {
    "gcloud": "changes a project at Google or reads one; tests/e2e/deploy has gcloud parse those",
    "for service in": "the same, for both services",
    "URL=$(gcloud": "the same",
    "deploy/deploy.sh --project": "the same; tests/e2e/deploy runs it against a gcloud of its own",
    "TOKEN=$(curl": "signs in at Google",
    "curl": "asks running services; tests/e2e/api runs the ones of api.md",
    "python3 -c": "the same",
    "docker": "builds an image; tests/unit/deploy reads the Dockerfile as Docker does",
    "python3 -m venv": "tests/e2e/api/test_first_backend.py installs and starts it so",
    "source venv": "the same",
    "pip install": "the same",
    "npm": "tests/frontend/assembled.py packs the client and installs it so",
    "venv/bin/python -m local": "the same",
    "export GOOGLE_CLOUD_PROJECT=$(gcloud": "reads gcloud's configuration",
    ".venv/bin/python -m worker.dead_letters": "asks a project; tests/e2e runs it on the emulators",
    ".venv/bin/python -m tests.reliability": "writes the results of a run into a document",
    ".venv/bin/python -m tests.browser": "takes pictures with Chromium",
    ".venv/bin/python -m worker.evaluate": "tests/contract/gemini/test_evaluate.py asks the fake",
    ".venv/bin/python -m tests.fake_gemini": "a server; tests start it in their own process",
}

IN_THE_IMAGE = {"python -m ingress", "python -m worker", "python -m worker.pull"}
"""How a container starts; the image's Python has no other name."""

AFTER_ACTIVATE = {"pip install -r requirements.txt"}
"""The first backend's own command; the line before it activates the environment."""


def complete(lines: str) -> bool:
    asked = ["bash", "-n", "-c", lines]
    return subprocess.run(asked, check=False, capture_output=True).returncode == 0


def fenced(document: Path) -> Iterator[str]:
    """Each command of the bash blocks, on as many lines as bash wants for it."""
    for block in re.findall(r"^```bash\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE):
        begun = ""
        for line in block.replace("\\\n", " ").splitlines(keepends=True):
            begun += line
            if complete(begun):
                yield re.sub(r"^#.*|\s# .*", "", begun).strip()
                begun = ""
        assert not begun, begun


def inline(document: Path) -> set[str]:
    """What stands in the text between backticks."""
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.DOTALL | re.MULTILINE)
    return set(re.findall(r"`([^`\n]+)`", text))


FENCED = sorted({command for document in DOCUMENTS for command in fenced(document) if command})
INLINE = sorted({code for document in DOCUMENTS for code in inline(document)})
MODULES = sorted(
    {
        found
        for text in [*FENCED, *INLINE]
        for found in re.findall(r"\.?venv/bin/python -m ([\w.]+)", text)
    }
)
TARGETS = sorted(
    {
        found
        for text in [*FENCED, *INLINE]
        for found in re.findall(r"^(?:[A-Z_]+=\S* )*make (?:[A-Z]+=\S* )*([\w.-]+)", text)
    }
)


def kind(command: str) -> str:
    if re.match(r"(?:[A-Z_]+=\S+ )*make ", command):
        return "make"
    if command.startswith(RUN):
        return "run"
    return "not run" if command.startswith(tuple(NOT_RUN)) else "unknown"


def test_each_command_is_run_or_has_a_reason() -> None:
    assert [command for command in FENCED if kind(command) == "unknown"] == []


def test_each_reason_and_each_run_is_still_needed() -> None:
    listed = [*NOT_RUN, *RUN]
    assert [some for some in listed if not any(c.startswith(some) for c in FENCED)] == []


@pytest.mark.parametrize("command", [command for command in FENCED if kind(command) == "run"])
def test_it_does_what_the_document_says(command: str) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command.replace(".venv/bin/python", sys.executable)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_make_knows_the_target(target: str) -> None:
    make = shutil.which("make")
    assert make is not None
    subprocess.run([make, "-n", target], cwd=ROOT, check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("module", MODULES)
def test_python_finds_the_module(module: str) -> None:
    assert find_spec(module) is not None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_is_that_of_the_virtual_environment(document: Path) -> None:
    """The Python of a fresh shell, if it has one by that name, does not know our packages."""
    bare = re.compile(r"(?:^|[|;&] *)(?:python|pip|pytest|ruff|mypy) ")
    found = {code for code in [*inline(document), *fenced(document)] if bare.search(code)}
    assert found - IN_THE_IMAGE - AFTER_ACTIVATE == set()
