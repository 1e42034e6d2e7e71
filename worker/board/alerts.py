"""The board's alerts: what is wrong, worst first, and one line on what to do about it.

`reference` is a heading of docs/operations.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from worker.board.figures import MOST_DEAD_LETTERS, Board

TOO_OLD_SECONDS = 300
"""The default deadline: by then an activation should be answered, whatever Gemini did."""

TOO_MANY_FALLBACKS = 0.20
ENOUGH_ANSWERS = 5
"""Per hour. With fewer answers the share of fallbacks says nothing."""


@dataclass(frozen=True)
class Alert:
    """`bad`: act now; `warning`: watch it; `notice`: good to know.

    `activation_id` is that of the activation whose story says more.
    """

    level: Literal["bad", "warning", "notice"]
    what: str
    advice: str
    reference: str
    activation_id: str | None = None


def alerts(board: Board) -> tuple[Alert, ...]:
    return (*_bad(board), *_warnings(board))


def _bad(board: Board) -> Iterator[Alert]:
    oldest = board.waiting.oldest_seconds
    if oldest is not None and oldest > TOO_OLD_SECONDS:
        yield Alert(
            "bad",
            f"Somebody has waited for {oldest / 60:,.0f} minutes",
            "Does the queue push to the worker? Does the sweep run each minute? "
            "POST /tasks/sweep publishes what is overdue again.",
            "waiting-too-long",
            board.waiting.oldest_id,
        )
    if board.health.key == "refused":
        yield Alert(
            "bad",
            "Gemini refused the key",
            "Every answer comes from the library until a call succeeds. The line "
            "gemini.key_refused says why; rotate the key.",
            "key-refused",
        )
    if models := _with_a_breaker(board, "open"):
        yield Alert(
            "bad",
            f"The circuit breaker of {models} is open",
            "The model keeps failing, so the next one or the library answers. Look at Gemini's "
            "status page; it is tried again by itself, don't restart.",
            "circuit-breaker",
        )
    if board.dead_letters:
        yield Alert(
            "bad",
            _dead_letters(board.dead_letters),
            "No worker could read them. python -m worker.dead_letters list says why (local run: "
            "local.dead_letters). Fix the cause, then replay or discard them.",
            "dead-letters",
        )


def _warnings(board: Board) -> Iterator[Alert]:
    if _too_many_fallbacks(board):
        reason = board.lately.reason
        yield Alert(
            "warning",
            f"{board.lately.share:.0%} of the last hour's answers came from the library",
            f"Mostly {reason}: {_ADVICE.get(reason, _UNKNOWN)}." if reason else "",
            "fallbacks",
        )
    if models := _with_a_breaker(board, "half_open"):
        yield Alert(
            "warning",
            f"The circuit breaker of {models} is half open",
            "One call at a time finds out whether the model is back; wait a minute.",
            "circuit-breaker",
        )
    if board.health.key == "none":
        yield Alert(
            "notice",
            "There is no Gemini key",
            "Every answer comes from the library. Set GEMINI_API_KEY and start again.",
            "no-gemini-key",
        )


def _with_a_breaker(board: Board, state: str) -> str:
    return ", ".join(model for model, found in board.health.breakers.items() if found == state)


def _dead_letters(count: int) -> str:
    if count == 1:
        return "1 dead letter"
    return f"{count:,}{' or more' if count >= MOST_DEAD_LETTERS else ''} dead letters"


def _too_many_fallbacks(board: Board) -> bool:
    """Without a key every answer is a fallback on purpose, and another alert says so."""
    enough = board.lately.answers >= ENOUGH_ANSWERS
    return board.health.key != "none" and enough and board.lately.share > TOO_MANY_FALLBACKS


_ADVICE: dict[str, str] = {
    "unavailable": "Gemini answers 5xx or can't be reached; look at its status page",
    "quota": "Gemini answers 429; raise the quota, or choose a model that has more",
    "timeout": "Gemini is slow; see its status page before raising GEMINI_TIMEOUT_SECONDS",
    "blocked": "Gemini refuses prompts; look for what changed in the prompt or in its filters",
    "invalid_output": "its answers are no valid steps; did the model or the prompt change?",
    "misconfigured": "Gemini refuses our requests; check the key, GEMINI_MODEL and billing",
    "circuit_open": "too many failures in a row; see the reasons that came before",
    "deadline": "activations wait too long before they are taken; add instances or threads",
    "undeliverable": "workers end in the middle of the work; look for crashes in the log",
    "no_api_key": "a worker runs without GEMINI_API_KEY; does each revision have it?",
}
_UNKNOWN = "a later release wrote that; its own board says what to do"
