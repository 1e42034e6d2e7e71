"""Each system of `make bench` answers one activation, from the start of its processes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.compare.load import Load
from bench.compare.measure import calls, generate
from bench.compare.surroundings import Surroundings, started
from bench.compare.systems import SYSTEMS, System
from tests import ROOT
from tests.support.needs import need

PYTHON = ROOT / ".venv-bench" / "bin" / "python"


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    missing = None if PYTHON.exists() else "`make bench` sets up .venv-bench"
    need("the peers' libraries", missing)
    folder = tmp_path_factory.mktemp("bench")
    with started(folder, ("redis", "emulator"), str(PYTHON)) as around:
        yield around


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_a_system_answers_an_activation_with_one_call_of_gemini(
    system: System, around: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if system.needs is not None:
        need(system.needs, around.missing.get(system.needs))
    for name, value in around.environment.items():
        monkeypatch.setenv(name, value)
    with system.running(around, tmp_path / "run") as running:
        load = Load(url=running.url, asks=system.asks, clients=1, activations=1, seconds=60)
        seen = generate(load)
    assert [number for number, *_ in seen.activations] == [0]
    assert [number for number, _ in calls(around)] == [0]
