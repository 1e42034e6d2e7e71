"""What tests give to `record_property` is printed at the end of a run, with workers too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT
from tests.support.tables import GEMINI, HEADS, sections

TWO_FILES = {
    "test_a.py": "def test_rain(record_property): record_property('weather', 'rain\\nwind')\n",
    "test_b.py": "def test_snow(record_property): record_property('winter', 'snow')\n",
}


def test_lines_of_one_title_stand_together_each_once_under_their_head() -> None:
    recorded = [(GEMINI, "a"), ("other", "b\nc"), (GEMINI, "d"), (GEMINI, "a")]
    assert sections(recorded) == {GEMINI: [HEADS[GEMINI], "a", "d"], "other": ["b", "c"]}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_each_section_comes_once_whoever_ran_the_test(tmp_path: Path, workers: str) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_terminal_summary\n")
    for name, text in TWO_FILES.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", workers, "--dist", "loadfile", str(tmp_path)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if "PYTEST" not in name},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = [line.strip("= ") for line in done.stdout.splitlines() if line]
    weather = lines.index("weather")
    assert lines[weather : weather + 3] == ["weather", "rain", "wind"]
    assert lines[lines.index("winter") + 1] == "snow"
    assert (lines.count("weather"), lines.count("winter")) == (1, 1)
