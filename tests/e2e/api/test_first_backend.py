"""docs/from-the-first-backend.md: its commands, run as they stand there, in a copy of the tree."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests import ROOT
from tests.e2e.pipeline import clean_environment
from tests.support.emulators import free_port
from tests.support.eventually import eventually
from tests.support.needs import need_program

GUIDE = (ROOT / "docs" / "from-the-first-backend.md").read_text()
BLOCKS = re.findall(r"```(bash|dotenv)\n(.*?)```", GUIDE, re.DOTALL)


def block(beginning: str) -> str:
    [found] = [text for _, text in BLOCKS if text.startswith(beginning)]
    return str(found)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is in the repository, and nothing that lies about beside it."""
    folder = tmp_path_factory.mktemp("clone")
    names = (
        subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        .stdout.decode()
        .split("\0")
    )
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


@pytest.mark.timeout(400)  # installs what the lock names
def test_installed_configured_started_and_asked_as_the_first_backend_was(clone: Path) -> None:
    port, worker_port = str(free_port()), str(free_port())
    (clone / ".env").write_text(block("GOOGLE_APPLICATION_CREDENTIALS"))
    start = block("venv/bin/python").replace("8080", port).strip()
    script = f"{block('python3 -m venv')}\nexec {start} --worker-port {worker_port}"
    environment = {**clean_environment(), "PYTHONPATH": "", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment["PIP_COMPILE"] = "0"  # else half of the time goes into files that nobody imports
    with (
        (clone / "output").open("wb") as output,
        subprocess.Popen(
            ["bash", "-e", "-c", script],
            cwd=clone,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            eventually(
                lambda: process.poll() is not None or "Ctrl-C" in (clone / "output").read_text(),
                seconds=300,
                what="the start",
            )
            curl = block("curl").replace("8080", port).replace("curl", "curl -sS --max-time 60")
            asked = subprocess.run(["bash", "-c", curl], capture_output=True, check=True)
        finally:
            process.terminate()
            process.wait(30)
    answer = json.loads(asked.stdout)
    assert len(answer) == 17, (clone / "output").read_text()
    assert answer["source"] == "fallback"


def test_gcloud_understands_the_commands_for_cloud_run(tmp_path: Path) -> None:
    gcloud = need_program("gcloud")
    values = {
        "IMAGE_PATH": "europe-west1-docker.pkg.dev/p/r/i:latest",
        "REGION": "europe-west1",
        "PROJECT_ID": "innerjourney-c007e",
        "WORKER_URL": "https://worker.example",
    }
    text = re.sub(
        r"\[(\w+)\]", lambda match: values.get(match[1], "name@p.example"), block("gcloud run")
    )
    commands = text.replace("\\\n", " ").strip().splitlines()
    assert len(commands) == 2
    for command in commands:
        done = subprocess.run(
            [gcloud, *shlex.split(command)[1:], "--project=demo"],
            env={**os.environ, "CLOUDSDK_CONFIG": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert "do not currently have an active account" in done.stderr
