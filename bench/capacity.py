"""`python -m bench.capacity`: what 1,000 activations cost, and what each rate of them asks for.

Arithmetic only, from what the code does (tests count it) and Google's list prices.
docs/operations.md shows what it prints.
"""

from dataclasses import dataclass

from bench.estimate import DAYS, MODELS, THOUGHTS, usd_per_thousand
from shared.google.firestore import SHARDS
from shared.settings import Settings

GENERATION_SECONDS = 3.0
"""What a Gemini Flash model takes for such an answer, by our guess: the ledger has yours."""

POLLS = 4
"""A client that asks after 0.1, then each 0.4 s to 1 s (shared/google/waiting.py), in that time."""

WRITES = 3
"""Create, claim, complete: tests/contract/test_firestore_rpcs.py counts them."""

COUNTER_WRITES, COUNTER_READS, COUNTER_DELETES = 1, 2, 1
"""For the daily limit, at most: a process reads only for a user whom it has not seen."""

RATES = (10, 1_000, 100_000)
INGRESS_THREADS, WORKER_THREADS = 64, 32
MOST_WORKERS = 10
"""As in deploy/deploy.sh; tests/unit/deploy/test_capacity.py compares them."""

SHARD_WRITES = 500
"""A second, to an index in the order of time (page: Firestore, Best practices)."""


@dataclass(frozen=True, kw_only=True)
class ListPrices:
    """USD, of Google's price pages as we knew them in November 2026: eur3 and tier 1, the dearer
    kind. Free quotas are left out. Check them before you rely on them."""

    firestore_read: float = 0.06 / 100_000
    firestore_write: float = 0.18 / 100_000
    firestore_delete: float = 0.02 / 100_000
    pubsub_byte: float = 40 / 2**40
    run_request: float = 0.40 / 1_000_000
    run_vcpu_second: float = 0.000024
    run_gib_second: float = 0.0000025


@dataclass(frozen=True)
class Line:
    what: str
    how: str
    usd: float


def cost_of_a_thousand(prices: ListPrices, *, sharing: int) -> list[Line]:
    """`sharing`: how many activations an instance works on at once; 1 is the dearest."""
    writes, reads = WRITES + COUNTER_WRITES, POLLS + COUNTER_READS
    deletes = 1 + COUNTER_DELETES
    second = prices.run_vcpu_second + prices.run_gib_second / 2  # 1 vCPU and half a GiB
    seconds = 2 * GENERATION_SECONDS / sharing  # the worker's, and the ingress' that waits
    messages = 2 * 2_048  # published and delivered, of about 2 KB
    return [
        Line(
            "Gemini",
            f"{MODELS[0]}, low thinking, the price of {DAYS[-1]} (see bench.estimate)",
            usd_per_thousand(MODELS[0], THOUGHTS["low"], DAYS[-1]),
        ),
        Line(
            "Firestore",
            f"{writes} writes, {reads} reads (polls, the daily limit), {deletes} TTL deletes",
            1000
            * (
                writes * prices.firestore_write
                + reads * prices.firestore_read
                + deletes * prices.firestore_delete
            ),
        ),
        Line("Pub/Sub", f"{messages:,} bytes in and out", 1000 * messages * prices.pubsub_byte),
        Line(
            "Cloud Run",
            f"{POLLS + 2} requests, {seconds:.2f} s of an instance",
            1000 * ((POLLS + 2) * prices.run_request + seconds * second),
        ),
    ]


@dataclass(frozen=True)
class Demand:
    """What a rate of activations a minute asks for, at GENERATION_SECONDS each."""

    per_minute: int

    @property
    def at_once(self) -> float:
        """Being written by Gemini at one moment (Little's law)."""
        return self.per_minute / 60 * GENERATION_SECONDS

    @property
    def workers(self) -> int:
        """Instances whose threads all work."""
        return -(-round(self.at_once) // WORKER_THREADS) or 1

    @property
    def ingresses(self) -> int:
        """If every client waits in a request of its own, in the slots that may wait."""
        slots = Settings(web_threads=INGRESS_THREADS, auth="none").waiting_slots
        return -(-round(self.at_once) // slots) or 1

    @property
    def writes_a_second(self) -> float:
        return self.per_minute / 60 * WRITES

    @property
    def most_writes_a_second(self) -> int:
        """Of the index that `due` reads."""
        return SHARDS * SHARD_WRITES


def main() -> None:
    for sharing in (1, WORKER_THREADS):
        lines = cost_of_a_thousand(ListPrices(), sharing=sharing)
        print(f"1,000 activations, {sharing} at once on an instance:")
        for line in lines:
            print(f"  {line.usd:7.3f} USD  {line.what:<10} {line.how}")
        print(f"  {sum(line.usd for line in lines):7.3f} USD")
    head = ("a minute", "Gemini/min", "at once", "workers", "ingresses", "writes/s", "of at most")
    print("".join(f"{name:>12}" for name in head))
    for demand in map(Demand, RATES):
        row = (
            *(f"{demand.per_minute:,}", f"{demand.per_minute:,}", f"{demand.at_once:,.1f}"),
            *(f"{demand.workers:,}", f"{demand.ingresses:,}"),
            *(f"{demand.writes_a_second:,.1f}", f"{demand.most_writes_a_second:,}"),
        )
        print("".join(f"{cell:>12}" for cell in row))


if __name__ == "__main__":
    main()
