"""Calls the worker's sweep at an interval, in place of Cloud Scheduler."""

import urllib3

from shared.periodic import Periodic

SWEEP_SECONDS = 15.0
SWEEP_TIMEOUT_SECONDS = 60.0


def sweeping(worker_url: str) -> Periodic:
    """Calls the worker's sweep, as Cloud Scheduler does in production."""
    # Not requests, which takes 4 MiB of the supervisor and has no other use there.
    connections = urllib3.PoolManager(retries=False)

    def sweep() -> None:
        connections.request("POST", f"{worker_url}/tasks/sweep", timeout=SWEEP_TIMEOUT_SECONDS)

    return Periodic("sweep", SWEEP_SECONDS, sweep)
