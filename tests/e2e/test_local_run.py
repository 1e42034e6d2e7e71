"""`python -m local` as a newcomer meets it: start, stop, restart, and why it does not start."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests import ROOT
from tests.e2e.pipeline import GOOD, MARK, Pipeline, clean_environment, running
from tests.support.emulators import free_port, need_emulators
from tests.support.eventually import eventually


@pytest.fixture
def embedded(tmp_path: Path) -> Pipeline:
    folder = tmp_path / "run"
    folder.mkdir()
    return Pipeline(folder)


def attempt(pipeline: Pipeline, *more: str, **environment: str) -> tuple[int, str]:
    """Exit code and what was printed, of a start that is expected to fail."""
    ended = subprocess.run(
        [*pipeline.argv, *more],
        cwd=pipeline.folder,
        env={**clean_environment(), MARK: pipeline.mark, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_without_a_key_the_first_answer_is_a_step_from_the_library(tmp_path: Path) -> None:
    with running(tmp_path / "run") as pipeline:
        answer = requests.post(f"{pipeline.url}/gemini/getActivation", json=GOOD, timeout=60)
        assert answer.status_code == 200
        assert len(answer.json()) == 17
        assert answer.json()["source"] == "fallback"
        assert "no GEMINI_API_KEY" in pipeline.output
        assert f'curl -X POST "http://localhost:{pipeline.port}/gemini' in pipeline.output
        assert f"http://localhost:{pipeline.port}/app/" in pipeline.output


def test_results_survive_a_restart(tmp_path: Path) -> None:
    with running(tmp_path / "run") as pipeline:
        done = pipeline.wait_until_done(pipeline.submit())
        assert pipeline.stop() == 0
        pipeline.output_file.write_text("")
        pipeline.start()
        assert pipeline.show(done["activation_id"]) == done


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_however_it_ends_no_process_is_left_behind(tmp_path: Path, number: int) -> None:
    with running(tmp_path / "run") as pipeline:
        assert len(pipeline.processes()) >= 3  # the supervisor and two services
        code = pipeline.stop(number)
        assert code == (0 if number != signal.SIGKILL else -signal.SIGKILL)
        eventually(lambda: not pipeline.processes(), what="the end of every process")


def test_a_second_run_on_the_same_data_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    """Also gone by SIGKILL, which leaves no time to give anything back."""
    with running(tmp_path / "run") as first:
        second = Pipeline(first.folder)
        code, said = attempt(second)
        assert (code, said.count("\n")) == (2, 1), said
        assert f"can't start: --data-dir {first.folder / '.data'}" in said
        first.stop(signal.SIGKILL)
        first.output_file.write_text("")
        with running(first.folder) as third:
            assert third.wait_until_done(third.submit())["source"] == "fallback"


def test_with_emulators_a_second_run_on_the_same_data_is_refused(tmp_path: Path) -> None:
    need_emulators()
    with running(tmp_path / "run") as first:
        code, said = attempt(Pipeline(first.folder, emulators=True))
        assert (code, said.count("\n")) == (2, 1), said
        assert "another run" in said


def test_on_the_emulators_no_process_is_left_behind(tmp_path: Path) -> None:
    need_emulators()
    with running(tmp_path / "run", emulators=True) as pipeline:
        assert pipeline.processes(naming="java")
        assert pipeline.stop() == 0
        eventually(lambda: not pipeline.processes(), what="the end of every process")


def test_a_service_that_dies_is_started_again(tmp_path: Path) -> None:
    with running(tmp_path / "run") as pipeline:
        for pid in pipeline.processes(naming="local.apps ingress"):
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: "process.restarted" in pipeline.output)

        def answers() -> bool:
            try:
                return requests.get(f"{pipeline.url}/readyz", timeout=5).ok
            except requests.ConnectionError:
                return False

        eventually(answers, what="a new ingress")


@pytest.mark.parametrize("which", ["port", "worker_port"])
def test_a_port_in_use_is_one_line_and_exit_2(embedded: Pipeline, which: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        setattr(embedded, which, taken.getsockname()[1])
        code, said = attempt(embedded)
    assert code == 2
    assert said.count("\n") == 1
    assert f"port {getattr(embedded, which)}" in said
    assert "in use" in said


def test_a_data_folder_that_cannot_be_made_is_one_line_and_exit_2(embedded: Pipeline) -> None:
    (embedded.folder / ".data").write_text("a file stands there")
    code, said = attempt(embedded)
    assert (code, said.count("\n")) == (2, 1)
    assert ".data" in said


def test_a_database_that_cannot_be_opened_is_one_line_and_exit_2(embedded: Pipeline) -> None:
    (embedded.folder / ".data" / "innerjourney.db").mkdir(parents=True)
    code, said = attempt(embedded)
    assert (code, said.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LEASE_SECONDS", "soon"),
        ("LEASE_SECONDS", "1"),
        ("MAX_ATTEMPTS", "0"),
        ("AUTH", "maybe"),
        ("WEB_THREADS", "many"),
        ("CORS_ALLOWED_ORIGINS", "["),
        ("PUBSUB_TOPIC", "goog-requests"),
        ("PUBSUB_TOPIC", "activation-requests-dead"),
    ],
)
def test_a_bad_setting_is_one_line_and_exit_2(embedded: Pipeline, name: str, value: str) -> None:
    code, said = attempt(embedded, **{name: value})
    assert (code, said.count("\n")) == (2, 1)
    assert f"{name}=" in said
    assert value in said


@pytest.mark.parametrize("arguments", [("--port", "99999"), ("--port", "8081"), ("--colour",)])
def test_a_bad_option_is_one_line_and_exit_2(
    embedded: Pipeline, arguments: tuple[str, ...]
) -> None:
    code, said = attempt(embedded, *arguments, "--worker-port", "8081")
    assert (code, said.count("\n")) == (2, 1), said
    assert arguments[-1] in said


def test_a_dotenv_file_that_is_not_utf_8_is_one_line_and_exit_2(embedded: Pipeline) -> None:
    (embedded.folder / ".env").write_bytes(b"GEMINI_MODEL=\xe5\n")
    code, said = attempt(embedded)
    assert (code, said) == (2, "can't start: .env: expected a file in UTF-8\n")


def test_a_database_that_is_none_is_one_line_and_exit_2(embedded: Pipeline) -> None:
    (embedded.folder / ".data").mkdir()
    (embedded.folder / ".data" / "innerjourney.db").write_text("this is no database " * 100)
    code, said = attempt(embedded)
    assert (code, said.count("\n")) == (2, 1), said


def test_with_emulators_a_data_folder_that_cannot_be_made_is_one_line_and_exit_2(
    embedded: Pipeline,
) -> None:
    need_emulators()
    (embedded.folder / ".data").write_text("a file stands there")
    code, said = attempt(embedded, "--emulators")
    assert (code, said.count("\n")) == (2, 1), said
    assert ".data" in said


def test_a_blank_line_of_a_template_is_the_default(tmp_path: Path) -> None:
    blank = {"AUTH": "", "GOOGLE_CLOUD_PROJECT": "", "GEMINI_API_KEY": ""}
    with running(tmp_path / "run", environment=blank) as pipeline:
        assert requests.get(f"{pipeline.url}/readyz", timeout=30).status_code == 200


def test_a_terminal_without_swedish_letters_is_no_obstacle(tmp_path: Path) -> None:
    with running(tmp_path / "run", environment={"PYTHONIOENCODING": "ascii"}) as pipeline:
        assert "komma ig?ng" in pipeline.output


INTERRUPTED_WHILE_IT_IMPORTS = """
import os, runpy, signal, sys

class Interrupt:
    def find_spec(self, name, *_):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)

module = sys.argv.pop(1)
sys.meta_path.insert(0, Interrupt())
runpy.run_module("local", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(
    "module", ["argparse", "datetime", "shared.settings", "local.run.embedded"]
)
def test_ctrl_c_while_it_imports_leaves_no_traceback_and_no_process(
    embedded: Pipeline, module: str
) -> None:
    python, _, _, *arguments = embedded.argv
    ended = subprocess.run(
        [python, "-c", INTERRUPTED_WHILE_IT_IMPORTS, module, *arguments],
        cwd=embedded.folder,
        env={**clean_environment(), MARK: embedded.mark},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    eventually(lambda: not embedded.processes(), what="the end of every process")


def test_a_dotenv_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".env").write_text("CORS_ALLOWED_ORIGINS=https://app.example\n")
    with running(tmp_path / "run") as pipeline:
        origin = {"Origin": "https://app.example"}
        answer = requests.get(pipeline.url, headers=origin, timeout=30)
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"


@pytest.mark.parametrize("service", ["ingress", "worker"])
@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({"GOOGLE_CLOUD_PROJECT": ""}, "GOOGLE_CLOUD_PROJECT"),
        ({"LEASE_SECONDS": "x"}, "LEASE_SECONDS"),
        ({"PUBSUB_EMULATOR_HOST": "h:1"}, "PUBSUB_EMULATOR_HOST"),
        ({"AUTH": "none"}, "AUTH"),
    ],
)
def test_a_production_service_with_a_bad_setting_stops_with_one_line(
    service: str, environment: dict[str, str], names: str
) -> None:
    ended = start_production(service, **environment)
    said = ended.stdout + ended.stderr
    assert (ended.returncode, said.count("\n")) == (2, 1), said
    assert names in said


def test_a_secret_that_cant_be_read_stops_the_worker_with_a_line_that_names_it() -> None:
    name = "projects/p/secrets/s/versions/latest"
    ended = start_production(
        "worker",
        GEMINI_API_KEY_SECRET=name,
        ALLOW_UNAUTHENTICATED="true",
        GOOGLE_APPLICATION_CREDENTIALS="/nowhere.json",
    )
    assert ended.returncode == 2
    assert f"can't start: GEMINI_API_KEY_SECRET='{name}': expected a secret" in ended.stderr
    assert "Traceback" not in ended.stderr


def start_production(service: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A start that is expected to fail."""
    return subprocess.run(
        [sys.executable, "-m", service],
        cwd=ROOT,
        env={
            **clean_environment(),
            "GOOGLE_CLOUD_PROJECT": "p",
            "PORT": str(free_port()),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
