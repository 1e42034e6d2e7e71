"""bench/capacity.py: its figures are those of the deployment, and docs/operations.md shows them."""

import re

import pytest

from bench import capacity
from bench.capacity import Demand
from tests import ROOT


def test_it_reckons_with_the_deployments_threads_and_instances() -> None:
    deploy = (ROOT / "deploy" / "deploy.sh").read_text()
    assert f"INGRESS_THREADS={capacity.INGRESS_THREADS} " in deploy
    assert f"WORKER_THREADS={capacity.WORKER_THREADS}\n" in deploy
    assert f"MAX_WORKERS={capacity.MOST_WORKERS}\n" in deploy


def test_the_guide_for_operators_multiplies_rightly() -> None:
    at_once = capacity.MOST_WORKERS * capacity.WORKER_THREADS
    calls = round(at_once / capacity.GENERATION_SECONDS * 60)
    said = (
        f"({capacity.MOST_WORKERS} × {capacity.WORKER_THREADS} = {at_once} at once, {calls:,} calls"
    )
    assert said in (ROOT / "docs" / "operations.md").read_text()


@pytest.mark.parametrize(
    ("per_minute", "at_once", "workers"), [(10, 0.5, 1), (1_000, 50, 2), (100_000, 5_000, 157)]
)
def test_what_is_at_once_is_the_rate_times_the_time(
    per_minute: int, at_once: float, workers: int
) -> None:
    demand = Demand(per_minute)
    assert demand.at_once == pytest.approx(at_once)
    assert demand.workers == workers


def test_the_guide_for_operators_shows_what_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    capacity.main()
    printed = capsys.readouterr().out.rstrip("\n")
    guide = (ROOT / "docs" / "operations.md").read_text()
    shown = re.search(r"python -m bench\.capacity\n```\n+```\n(.*?)\n```", guide, re.DOTALL)
    assert shown is not None
    assert shown[1] == printed
