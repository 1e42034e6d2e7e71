"""The fake Gemini of the benchmark, in a process of its own: python -m bench.compare.gemini PORT

It notes when it was asked for which activation. POST /bench/latency?SECONDS sets how long it takes
for the calls that follow, POST /bench/calls answers what it has noted and forgets it.
"""

import json
import signal
import sys
import time

from bench.compare.load import number_in
from tests.fake_gemini import Behaviour, Call, FakeGemini, answer, late, raw

LATENCY, CALLS = "/bench/latency?", "/bench/calls"


class TimedGemini(FakeGemini):
    """Looks at nothing but the goal: its own cost would stand in every figure."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._asked: list[tuple[int, float]] = []
        self._answer = answer()

    def serve(self, call: Call) -> Behaviour:
        if call.path.startswith(LATENCY):
            self._answer = late(float(call.path.removeprefix(LATENCY)), answer())
            return raw(b"{}")
        if call.path == CALLS:
            asked, self._asked = self._asked, []
            return raw(json.dumps(asked).encode())
        self._asked.append((number_in(call.user_text), time.monotonic()))
        return self._answer


def main() -> None:
    with TimedGemini(int(sys.argv[1])):
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
