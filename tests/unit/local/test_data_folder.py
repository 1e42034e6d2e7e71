"""One run at a time works in a data folder."""

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from local.run.data_folder import one_run_in
from local.run.processes import Child
from shared.errors import SettingsError
from tests import ROOT

HOLDS_UNTIL_IT_IS_KILLED = """
import pathlib, sys
from local.run.data_folder import one_run_in
with one_run_in(pathlib.Path(sys.argv[1])):
    print("holds it", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_is_refused_and_told_the_folder_and_what_to_do(tmp_path: Path) -> None:
    with one_run_in(tmp_path), pytest.raises(SettingsError) as refused, one_run_in(tmp_path):
        pass
    said = str(refused.value)
    assert f"--data-dir {tmp_path}" in said
    assert "stop it" in said
    assert "\n" not in said


def test_when_the_first_has_ended_the_second_may_start(tmp_path: Path) -> None:
    with one_run_in(tmp_path):
        pass
    with one_run_in(tmp_path):
        pass


def test_two_folders_are_two_runs(tmp_path: Path) -> None:
    with one_run_in(tmp_path / "a"), one_run_in(tmp_path / "b"):
        pass


def test_a_run_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS_UNTIL_IT_IS_KILLED, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"holds it\n"
        with pytest.raises(SettingsError), one_run_in(tmp_path):
            pass
        holder.send_signal(signal.SIGKILL)
    with one_run_in(tmp_path):
        pass


def test_a_child_that_outlives_its_run_holds_nothing(tmp_path: Path) -> None:
    child = Child("child", [sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with one_run_in(tmp_path):
            child.start()
        with one_run_in(tmp_path):
            assert child.exit_code() is None
    finally:
        child.stop(grace_seconds=0)


def test_a_folder_that_is_made_is_for_its_owner_alone(tmp_path: Path) -> None:
    with one_run_in(tmp_path / "data"):
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file stands there")
    with (
        pytest.raises(SettingsError, match=r"data: expected a folder that can be written \(File"),
        one_run_in(tmp_path / "data"),
    ):
        pass


def test_a_lock_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.lock").mkdir()
    with (
        pytest.raises(SettingsError, match=r"expected a folder that can be written \(Is a dir"),
        one_run_in(tmp_path),
    ):
        pass


def test_a_file_system_without_locks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", no_locks)
    with (
        pytest.raises(SettingsError, match=r"file system that locks files \(No locks available\)"),
        one_run_in(tmp_path),
    ):
        pass
