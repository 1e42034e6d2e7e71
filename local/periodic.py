"""Calls the worker's sweep at an interval, in place of Cloud Scheduler."""

import requests

from shared.periodic import Periodic

SWEEP_SECONDS = 15.0
SWEEP_TIMEOUT_SECONDS = 60.0


def sweeping(worker_url: str) -> Periodic:
    """Calls the worker's sweep, as Cloud Scheduler does in production."""
    session = requests.Session()
    session.trust_env = False  # no proxy stands between us and loopback

    def sweep() -> None:
        session.post(f"{worker_url}/tasks/sweep", timeout=SWEEP_TIMEOUT_SECONDS)

    return Periodic("sweep", SWEEP_SECONDS, sweep)
