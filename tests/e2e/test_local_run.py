"""`python -m local` as a newcomer meets it: start, stop, restart, and why it does not start."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.e2e.pipeline import GOOD, MARK, Pipeline, clean_environment, running
from tests.emulators import free_port, need_emulators
from tests.eventually import eventually


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
        assert len(pipeline.processes()) >= 5  # the supervisor, two masters, two workers
        code = pipeline.stop(number)
        assert code == (0 if number != signal.SIGKILL else -signal.SIGKILL)
        eventually(lambda: not pipeline.processes(), what="the end of every process")


def test_on_the_emulators_no_process_is_left_behind(tmp_path: Path) -> None:
    need_emulators()
    with running(tmp_path / "run", emulators=True) as pipeline:
        assert pipeline.processes(naming="java")
        assert pipeline.stop() == 0
        eventually(lambda: not pipeline.processes(), what="the end of every process")


def test_a_service_that_dies_is_started_again(tmp_path: Path) -> None:
    with running(tmp_path / "run") as pipeline:
        for pid in pipeline.processes(naming="ingress_app"):
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
    ],
)
def test_a_bad_setting_is_one_line_and_exit_2(embedded: Pipeline, name: str, value: str) -> None:
    code, said = attempt(embedded, **{name: value})
    assert (code, said.count("\n")) == (2, 1)
    assert f"{name}=" in said
    assert value in said


def test_a_port_that_is_none_is_refused(embedded: Pipeline) -> None:
    code, said = attempt(embedded, "--port", "99999")
    assert code == 2
    assert "99999" in said


def test_a_dotenv_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".env").write_text("CORS_ALLOWED_ORIGINS=https://app.example\n")
    with running(tmp_path / "run") as pipeline:
        origin = {"Origin": "https://app.example"}
        answer = requests.get(pipeline.url, headers=origin, timeout=30)
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"


@pytest.mark.parametrize("service", ["ingress.main:app()", "worker.main:app()"])
@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({"GOOGLE_CLOUD_PROJECT": ""}, "GOOGLE_CLOUD_PROJECT"),
        ({"LEASE_SECONDS": "x"}, "LEASE_SECONDS"),
        ({"K_SERVICE": "s", "PUBSUB_EMULATOR_HOST": "h:1"}, "PUBSUB_EMULATOR_HOST"),
    ],
)
def test_a_production_service_with_a_bad_setting_stops_with_one_line(
    tmp_path: Path, service: str, environment: dict[str, str], names: str
) -> None:
    root = Path(__file__).resolve().parent.parent.parent
    ended = subprocess.run(
        [str(Path(sys.executable).with_name("gunicorn")), service],
        cwd=root,
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
    said = ended.stdout + ended.stderr
    assert (ended.returncode, said.count("\n")) == (2, 1), said
    assert names in said
