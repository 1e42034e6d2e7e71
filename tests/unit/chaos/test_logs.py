"""What the auditor reads in the services' logs."""

from pathlib import Path

import pytest

from tests.chaos.campaign.history import ledger_of, tracebacks_in

LINES = """\
2026-11-24T10:50:23.346074Z [info     ] gemini.usage                   activation_id=a1 \
attempt=1 fate=completed gemini_calls=2 gemini_ms=205 model=gemini-flash-latest
{"severity": "INFO", "message": "gemini.usage", "timestamp": "2026-11-24T10:50:24Z", \
"activation_id": "a2", "fate": "dropped", "gemini_calls": 1}
  InnerJourney is running.  Ctrl-C stops it.
{"severity": "ERROR", "exception": "Traceback (most recent call last):\\n  File"}
Traceback (most recent call last):
  File "worker/http/routes.py", line 1, in push
InvalidTransition: a cancelled activation can't be completed
"""


def test_the_ledger_is_read_from_json_and_from_a_terminals_lines(tmp_path: Path) -> None:
    (tmp_path / "worker.log").write_text(LINES)
    found = list(ledger_of(tmp_path / "worker.log", "worker"))
    assert [(line.activation_id, line.calls, line.fate) for line in found] == [
        ("a1", 2, "completed"),
        ("a2", 1, "dropped"),
    ]
    assert found[1].at - found[0].at == pytest.approx(0.654, abs=0.001)


def test_tracebacks_are_found_and_named_by_their_place(tmp_path: Path) -> None:
    (tmp_path / "worker.log").write_text(LINES)
    found = list(tracebacks_in([tmp_path / "worker.log", tmp_path / "never-written.log"]))
    assert [place.split()[0] for place in found] == ["worker.log:4", "worker.log:5"]
    assert "InvalidTransition" in found[1]


def test_an_error_that_a_service_logged_as_unexpected_is_found(tmp_path: Path) -> None:
    line = "2026-11-24T10:50:23Z [error    ] unexpected   error=InvalidTransition where=['app']\n"
    (tmp_path / "worker.log").write_text(line)
    (found,) = tracebacks_in([tmp_path / "worker.log"])
    assert found.startswith("worker.log InvalidTransition")
