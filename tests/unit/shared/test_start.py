"""How a start ends that can't go on."""

import os
import subprocess
import sys

import pytest

from tests import ROOT


@pytest.mark.parametrize(("error", "code"), [("SettingsError", 2), ("StoreUnavailable", 1)])
def test_what_stops_a_start_is_one_line_and_an_exit_code(error: str, code: int) -> None:
    program = (
        f"from shared.errors import {error}\n"
        "from shared.start import run\n"
        "def main():\n"
        f"    raise {error}('the disk is full')\n"
        "run(main)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (code, "can't start: the disk is full\n")


def test_what_a_command_has_printed_reaches_a_pipe() -> None:
    """The process ends by os._exit, which flushes nothing."""
    program = (
        "from shared.start import run\ndef main():\n    print('done')\n    return 0\nrun(main)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout == "done\n"
