"""The image without Docker: its RUN steps in a clean venv, its files and nothing else, started."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests import ROOT
from tests.e2e.pipeline import clean_environment, running
from tests.fake_gemini import FakeGemini
from tests.support.docker import image
from tests.support.docker.compose import services
from tests.support.emulators import free_port
from tests.support.eventually import eventually

VENV = "/opt/venv"


@dataclass(frozen=True)
class Built:
    """What the last stage holds: the venv, and the files at WORKDIR."""

    venv: Path
    app: Path

    @property
    def environment(self) -> dict[str, str]:
        """The image's, with the emulators' addresses, so that no credentials are looked for, and
        with the leave to use them."""
        path = f"{self.venv}/bin:{os.environ['PATH']}"
        given = dict(re.findall(r"(\w+)=(\S+)", " ".join(image.of("ENV"))))
        nowhere = f"127.0.0.1:{free_port()}"
        emulators = {
            "FIRESTORE_EMULATOR_HOST": nowhere,
            "PUBSUB_EMULATOR_HOST": nowhere,
            "ALLOW_UNAUTHENTICATED": "true",
        }
        clean = {name: value for name, value in clean_environment().items() if name != "PYTHONPATH"}
        return {**clean, **given, **emulators, "PATH": path, "GOOGLE_CLOUD_PROJECT": "p"}

    def files(self) -> set[Path]:
        return {path for path in self.app.rglob("*") if path.is_file()}

    @contextmanager
    def started(self, command: list[str], **more: str) -> Iterator[str]:
        """Its address."""
        port = free_port()
        with subprocess.Popen(
            command,
            cwd=self.app,
            env={**self.environment, "PORT": str(port), **more},
            executable=str(self.venv / "bin" / command[0]),
        ) as process:
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()
                assert process.wait(30) == 0


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Runs each RUN step here, in a venv of its own, and lays out the COPY steps."""
    folder = tmp_path_factory.mktemp("image")
    build, built = folder / "build", Built(folder / "venv", folder / "app")
    build.mkdir()
    for name in image.sources()[0][0]:
        (build / name).write_bytes((ROOT / name).read_bytes())
    for step in image.of("RUN"):
        # The builder's `python`, and its pip, are those that run this test.
        here = re.sub(r"(^|&& )python ", rf"\1{shlex.quote(sys.executable)} ", step)
        subprocess.run(
            ["/bin/sh", "-ec", here.replace(VENV, str(built.venv))], cwd=build, check=True
        )
    image.lay_out(built.app)
    return built


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def default_command() -> list[str]:
    [command] = image.of("CMD")
    words: list[str] = json.loads(command)
    return words


@pytest.mark.parametrize("service", ["ingress", "worker"])
def test_each_service_starts_from_the_image_and_answers_on_its_port(
    built: Built, service: str
) -> None:
    worker = list(services()["worker"].command)
    command = default_command() if service == "ingress" else worker
    before = built.files()
    with built.started(command, AUTH="none") as url:
        eventually(lambda: answers(f"{url}/livez"), seconds=60, what=f"{service}'s /livez")
        ready = requests.get(f"{url}/readyz", timeout=60)
        assert ready.status_code == 503  # no emulator listens; the process itself is up
        assert built.files() == before  # it writes nothing beside itself


def test_the_image_holds_all_that_an_answer_needs(built: Built, tmp_path: Path) -> None:
    with (
        FakeGemini() as gemini,
        running(
            tmp_path / "run",
            gemini,
            python=str(built.venv / "bin" / "python"),
            environment={"PYTHONPATH": str(built.app)},
        ) as pipeline,
    ):
        assert pipeline.wait_until_done(pipeline.submit())["source"] == "gemini"


def test_the_venv_holds_no_pip_no_compiler_and_nothing_for_development(built: Built) -> None:
    [packages] = built.venv.glob("lib/python3*/site-packages")
    found = {path.name.lower() for path in packages.iterdir()}
    assert not {"pip", "setuptools", "pytest", "mypy", "playwright", "matplotlib"} & found
    assert {"flask", "waitress", "structlog"} <= found
