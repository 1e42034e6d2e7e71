"""A Gemini that speaks the real wire format and does what a test tells it to.

In a test: `with FakeGemini() as gemini: gemini.next(error(503), answer())`. For a person:
`python -m tests.fake_gemini --port 9090 --latency 0.5`, then start the pipeline with
`GEMINI_API_KEY=fake GEMINI_API_ENDPOINT=http://127.0.0.1:9090`.
"""

from tests.fake_gemini.behaviours import (
    answer,
    blocked_prompt,
    cut,
    drip,
    error,
    finish,
    hang,
    held,
    late,
    no_candidate,
    raw,
    reset,
    response,
    texts,
)
from tests.fake_gemini.server import FakeGemini
from tests.fake_gemini.wire import Behaviour, Call, Handler, Playing

__all__ = [
    "Behaviour",
    "Call",
    "FakeGemini",
    "Handler",
    "Playing",
    "answer",
    "blocked_prompt",
    "cut",
    "drip",
    "error",
    "finish",
    "hang",
    "held",
    "late",
    "no_candidate",
    "raw",
    "reset",
    "response",
    "texts",
]
