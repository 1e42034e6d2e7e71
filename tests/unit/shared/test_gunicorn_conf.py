"""What the two services rely on in gunicorn's configuration."""

import resource
import runpy
from typing import Any

import pytest

from tests import ROOT

CONF = ROOT / "gunicorn.conf.py"
CLOUD_RUN_GRACE_SECONDS = 10
GOOGLE_FRONT_END_IDLE_SECONDS = 60


@pytest.fixture
def conf(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("PORT", "9999")
    monkeypatch.setenv("WEB_THREADS", "7")
    return runpy.run_path(str(CONF))


def test_the_app_is_built_after_the_fork(conf: dict[str, Any]) -> None:
    """gRPC channels do not survive a fork, and app() opens them."""
    assert conf["preload_app"] is False


def test_port_and_threads_are_the_settings(conf: dict[str, Any]) -> None:
    assert conf["bind"] == "0.0.0.0:9999"
    assert conf["threads"] == 7
    assert conf["worker_class"] == "shared.http.gunicorn_worker.Worker"


def test_it_holds_many_more_connections_than_threads_and_fewer_than_it_may_open_files(
    conf: dict[str, Any],
) -> None:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert 10 * conf["threads"] < conf["worker_connections"] < files


def test_it_ends_before_cloud_run_kills_it(conf: dict[str, Any]) -> None:
    assert conf["graceful_timeout"] < CLOUD_RUN_GRACE_SECONDS


def test_it_keeps_idle_connections_longer_than_the_front_end_does(conf: dict[str, Any]) -> None:
    assert conf["keepalive"] > GOOGLE_FRONT_END_IDLE_SECONDS


def test_a_bad_setting_stops_with_2_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WEB_THREADS", "many")
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(CONF))
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "WEB_THREADS='many'" in said
