"""The histogram of how long answers took, and its percentiles."""

import pytest

from worker.board.latency import EDGES, latency_of, percentile


@pytest.mark.parametrize(
    ("share", "wanted"), [(0.0, 1.0), (0.50, 5.0), (0.51, 6.0), (0.95, 10.0), (1.0, 10.0)]
)
def test_a_percentile_is_the_nearest_rank(share: float, wanted: float) -> None:
    assert percentile([float(number) for number in range(1, 11)], share) == wanted


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile([], 0.5) is None
    assert (latency_of([]).p50, latency_of([]).p95) == (None, None)


def test_of_one_answer_every_percentile_is_its_time() -> None:
    latency = latency_of([(2.5, "gemini")])
    assert (latency.p50, latency.p95) == (2.5, 2.5)


def test_the_order_that_answers_come_in_does_not_matter() -> None:
    assert latency_of([(9.0, "gemini"), (1.0, "gemini"), (5.0, "gemini")]).p50 == 5.0


@pytest.mark.parametrize("index", range(len(EDGES)))
def test_an_edge_belongs_to_the_bucket_that_it_ends(index: int) -> None:
    edge = EDGES[index]
    buckets = latency_of([(edge, "gemini"), (edge * 1.001, "fallback")]).buckets
    assert (buckets[index].up_to, dict(buckets[index].sources)) == (edge, {"gemini": 1})
    assert dict(buckets[index + 1].sources) == {"fallback": 1}


def test_no_answer_is_too_quick_or_too_slow_to_be_counted() -> None:
    buckets = latency_of([(0.0, "safety"), (90_000.0, "fallback")]).buckets
    assert (buckets[0].count, buckets[-1].count, buckets[-1].up_to) == (1, 1, None)
