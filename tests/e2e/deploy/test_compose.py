"""docker-compose.yml without Docker: each service's own command and variables, as processes here.

What Docker gives them is stood in for: names become 127.0.0.1, ports become free ones, and the
order of `depends_on` is kept by running each health check until it passes.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests

from tests import ROOT
from tests.e2e.pipeline import GOOD, clean_environment
from tests.fake_gemini import FakeGemini
from tests.support.docker import compose
from tests.support.emulators import free_port, need_emulators
from tests.support.eventually import eventually

ORDER = ("firestore", "pubsub", "set-up", "ingress", "worker", "timer")


class Host:
    """This machine in the place of Docker's network."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports: dict[str, str] = {}

    def here(self, text: str) -> str:
        """With its host names and ports as they are on this machine."""
        named = re.sub(r"\b(firestore|pubsub|worker):(?=\d)", "127.0.0.1:", text)
        loopback = named.replace("0.0.0.0:", "127.0.0.1:")
        return re.sub(r"\b80(80|81|85|86)\b", lambda match: self.port(match[0]), loopback)

    def port(self, number: str) -> str:
        return self._ports.setdefault(number, str(free_port()))

    def environment(self, service: compose.Service) -> dict[str, str]:
        given = {name: self.here(value) for name, value in service.environment.items()}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        # gcloud keeps its settings, and the emulators' data, in a folder of this run.
        gcloud = {"CLOUDSDK_CONFIG": str(self._folder / "gcloud"), "no_proxy": "127.0.0.1"}
        return {**clean_environment(), **given, **gcloud, "PATH": path}

    def is_healthy(self, service: compose.Service) -> bool:
        check = [self.here(word) for word in service.health_command]
        environment = self.environment(service)
        done = subprocess.run(check, env=environment, capture_output=True, timeout=30, check=False)
        return done.returncode == 0

    @contextmanager
    def running(
        self, service: compose.Service, more: Mapping[str, str]
    ) -> Iterator[subprocess.Popen[bytes]]:
        log = (self._folder / f"{service.name}.log").open("wb")
        with (
            log,
            subprocess.Popen(
                [self.here(word) for word in service.command or ("python", "-m", "ingress")],
                cwd=ROOT if service.is_ours else self._folder,
                env={**self.environment(service), **more},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # gcloud leaves Java behind when it alone is stopped
            ) as process,
        ):
            try:
                yield process
            finally:
                with contextlib.suppress(ProcessLookupError):  # the set-up has ended
                    os.killpg(process.pid, signal.SIGTERM)
                process.wait(30)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    need_emulators()
    return Host(tmp_path)


def start(host: Host, stack: ExitStack, service: compose.Service, **more: str) -> None:
    process = stack.enter_context(host.running(service, more))
    if service.health_command:
        eventually(lambda: host.is_healthy(service), seconds=90, what=f"a healthy {service.name}")
    elif service.name == "set-up":
        assert process.wait(60) == 0


def test_docker_compose_up_answers_an_activation(host: Host) -> None:
    with FakeGemini() as gemini, ExitStack() as stack:
        services = compose.services({"GEMINI_API_KEY": "k"})
        for name in ORDER:
            start(host, stack, services[name], GEMINI_API_ENDPOINT=gemini.url)
        url = f"http://127.0.0.1:{host.port('8080')}"
        answer = requests.post(f"{url}/gemini/getActivation", json=GOOD, timeout=60)
        assert (answer.status_code, answer.json()["source"]) == (200, "gemini")
