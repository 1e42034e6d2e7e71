"""Which systems `make bench` can start on a machine."""

import pytest

from bench.compare.surroundings import Surroundings
from bench.compare.systems import SYSTEMS, present


def test_a_system_is_skipped_with_a_line_where_what_it_needs_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    around = Surroundings("python", "", {}, {}, missing={"redis": "there is no Redis"})
    found = [system.needs for system in present(SYSTEMS, around)]
    assert "redis" not in found
    assert "emulator" in found
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "skipped Flask + dramatiq + Redis: there is no Redis",
        "skipped Flask + Celery + Redis: there is no Redis",
    ]
