"""SIGTERM, twice, while clients wait: each gets an answer, and the next one finds a new process."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from tests.e2e.pipeline import Pipeline, running
from tests.fake_gemini import FakeGemini, held
from tests.support.eventually import eventually

WAITING = 8


def long_poll(pipeline: Pipeline, activation_id: str) -> requests.Response:
    return requests.get(
        f"{pipeline.url}/activations/{activation_id}", headers={"Prefer": "wait=30"}, timeout=60
    )


def connections_to(port: int) -> int:
    """Accepted and open ones, as the kernel lists them (proc(5), /proc/net/tcp)."""
    established, local = "01", f":{port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    fields = [line.split() for line in lines]
    return sum(field[1].endswith(local) and field[3] == established for field in fields)


def test_those_who_wait_are_answered_with_what_is_there(tmp_path: Path) -> None:
    with FakeGemini() as gemini, running(tmp_path / "run", gemini) as pipeline:
        gemini.next(held())
        activation_id = pipeline.submit()
        gemini.wait_for_calls(1)
        with ThreadPoolExecutor(WAITING) as pool:
            waiting = [pool.submit(long_poll, pipeline, activation_id) for _ in range(WAITING)]
            eventually(lambda: connections_to(pipeline.port) >= WAITING, what="the connections")
            # One that came behind them was answered: they have been taken up.
            assert requests.get(f"{pipeline.url}/livez", timeout=30).ok
            assert not any(poll.done() for poll in waiting)
            pipeline.terminate("ingress", times=2)
            answers = [poll.result(0) for poll in waiting]
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.json()["status"] for answer in answers} == {"processing"}
        gemini.released.set()

        def done() -> bool:
            try:
                return bool(long_poll(pipeline, activation_id).json()["done"])
            except requests.ConnectionError:
                return False

        eventually(done, what="the end, seen through the new ingress")
