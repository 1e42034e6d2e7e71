"""Hand-made histories for the auditor: one in which every promise was kept, and its parts."""

from typing import Any

from tests.chaos.campaign.auditor import audit
from tests.chaos.campaign.history import (
    Call,
    Ending,
    EndState,
    Erasure,
    History,
    LedgerLine,
    Promise,
)
from tests.chaos.campaign.plan import MARGIN_SECONDS, SWEEP_SECONDS, marker_of

MARKER, OTHER = marker_of(1), marker_of(2)
SWEPT = SWEEP_SECONDS + MARGIN_SECONDS


def a_promise(**changes: Any) -> Promise:
    fields: dict[str, Any] = {"activation_id": "a1", "marker": MARKER, "user": "anna"}
    times = {"sent_at": 0.0, "answered_at": 1.0, "deadline": 60.0}
    return Promise(**{**fields, **times, **changes})


def an_ending(**changes: Any) -> Ending:
    fields: dict[str, Any] = {"activation_id": "a1", "status": "completed", "source": "gemini"}
    return Ending(**{**fields, "reason": None, "step": MARKER, "updated_ms": 3000, **changes})


def a_call(**changes: Any) -> Call:
    fields: dict[str, Any] = {"marker": MARKER, "worker": "worker", "kind": "answer"}
    return Call(**{**fields, "started": 2.0, "ended": 2.5, "paid": True, **changes})


def a_line(**changes: Any) -> LedgerLine:
    fields: dict[str, Any] = {"activation_id": "a1", "worker": "worker", "at": 3.0, "calls": 1}
    return LedgerLine(**{**fields, "fate": "completed", **changes})


def stored(**changes: Any) -> EndState:
    fields: dict[str, Any] = {
        "activation_id": "a1",
        "user": "anna",
        "goal": f"komma igång {MARKER}",
        "status": "completed",
        "done": True,
        "created": 1.0,
        "updated": 3.0,
        "deadline": 60.0,
        "source": "gemini",
        "reason": None,
        "step": f"Steg {MARKER}",
    }
    return EndState(**{**fields, **changes})


def an_erasure(**changes: Any) -> Erasure:
    fields: dict[str, Any] = {"user": "anna", "activation_id": "a1", "sent_at": 5.0}
    return Erasure(**{**fields, "answered_at": 6.0, "confirmed": True, **changes})


def history() -> History:
    """One activation, promised, paid for once, counted, and kept."""
    return History(
        promises=[a_promise()],
        endings=[an_ending(), an_ending()],
        calls=[a_call()],
        ledger=[a_line()],
        stored={"a1": stored()},
        ids_of_key={"key": {"a1"}},
    )


def counts(history: History) -> dict[str, int]:
    return {name: len(found) for name, found in audit(history).items() if found}
