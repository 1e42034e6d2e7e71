"""What tests measure and `make test` prints at its end."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    behaviour: str
    sdk: str
    asked: str
    """The models in the order of their calls: 1 is the first, 2 the second."""
    waited: float
    ends: str


TABLE: list[Row] = []
"""Filled by tests/contract/test_gemini_table.py, printed by tests/conftest.py."""


SUMMARIES: dict[str, list[str]] = {}
"""By tool, the lines that it ends with."""

ISOLATION: list[tuple[str, str, str, str]] = []
"""Method, route, caller, answer; filled by tests/http/ingress/test_isolation.py."""


def isolation_lines(rows: list[tuple[str, str, str, str]]) -> list[str]:
    head = ("method", "route", "caller", "answer")
    return [f"{m:<8} {r:<26} {c:<15} {a}" for m, r, c, a in (head, *sorted(set(rows)))]


def lines(rows: list[Row]) -> list[str]:
    head = f"{'Gemini does':<26} {'SDK':<20} {'asked':>5} {'waited s':>9}  ends as"
    return [
        head,
        *(
            f"{row.behaviour:<26} {row.sdk:<20} {row.asked:>5} {row.waited:>9.2f}  {row.ends}"
            for row in rows
        ),
    ]
