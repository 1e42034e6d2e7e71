"""The ledger, and the cost that is made of it."""

import json
from datetime import date
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from local.sqlite.store import SqliteStore
from shared.domain.activation import Usage
from shared.domain.messages import encode
from shared.errors import StoreUnavailable
from tests.builders import LEASE, NOON, a_decider, an_activation
from tests.doubles import FakeTime, ScriptedGemini, StoreWithFaults
from worker.cost import add_up, main, report
from worker.gemini.port import Unavailable, WithoutKey
from worker.gemini.prices import Price, Prices
from worker.gemini.prompt import VERSION
from worker.pipeline.claim import Claimer
from worker.pipeline.held_claims import HeldClaims
from worker.pipeline.process import Processor
from worker.pipeline.records import record_usage

TODAY = date(2026, 11, 24)
PRICES = Prices(
    {
        "m": [
            (date(2026, 1, 1), Price(input=2.0, cached=0.2, output=10.0)),
            (date(2027, 1, 1), Price(input=4.0, cached=0.4, output=20.0)),
        ]
    },
    {},
)


def entry(**changes: object) -> dict[str, object]:
    usage = {"gemini_calls": 1, "prompt_tokens": 1000, "output_tokens": 500, "gemini_ms": 900}
    return {"message": "gemini.usage", "model": "m", "fate": "completed", **usage, **changes}


def processed(store: SqliteStore, time: FakeTime, gemini: ScriptedGemini | WithoutKey) -> None:
    processor = Processor(
        store=store,
        claims=HeldClaims(store),
        claimer=Claimer(store=store, lease=LEASE, clock=time.now),
        decider=a_decider(gemini),
        write_back_seconds=20,
        sleep=time.sleep,
        monotonic=time.monotonic,
    )
    stored = store.create(an_activation())
    processor.process(encode(stored.activation, stored.version))


def ledger_of(logs: list[dict[str, object]]) -> list[dict[str, object]]:
    return [line for line in logs if line["event"] == "gemini.usage"]


def test_a_completed_claim_is_one_entry(store: SqliteStore, time: FakeTime) -> None:
    with capture_logs() as logs:
        processed(store, time, ScriptedGemini())
    (line,) = ledger_of(logs)  # type: ignore[arg-type]  # structlog's own dicts
    assert (line["fate"], line["model"], line["prompt_version"]) == ("completed", "fake", VERSION)
    assert (line["gemini_calls"], line["prompt_tokens"], line["output_tokens"]) == (1, 10, 20)


def test_each_model_that_was_called_has_an_entry_of_its_own() -> None:
    spent = {"m": Usage(gemini_calls=2, prompt_tokens=5), "lite": Usage(gemini_calls=1)}
    with capture_logs() as logs:
        record_usage(an_activation(), spent, "completed")
    assert [(line["model"], line["gemini_calls"], line["prompt_tokens"]) for line in logs] == [
        ("m", 2, 5),
        ("lite", 1, 0),
    ]


def test_a_result_that_was_dropped_is_accounted_for(store: SqliteStore, time: FakeTime) -> None:
    with capture_logs() as logs:
        processed(store, time, ScriptedGemini(lambda: store.delete("a1")))
    (line,) = ledger_of(logs)  # type: ignore[arg-type]
    assert (line["fate"], line["gemini_calls"]) == ("dropped", 1)


def test_a_release_is_accounted_for(store: SqliteStore, time: FakeTime) -> None:
    asked = Unavailable("429", reason="quota", retry_after=53, usage=Usage(gemini_calls=1))
    with capture_logs() as logs:
        processed(store, time, ScriptedGemini(asked))
    (line,) = ledger_of(logs)  # type: ignore[arg-type]
    assert line["fate"] == "released"


def test_a_result_that_could_not_be_written_is_accounted_for(
    store: SqliteStore, time: FakeTime
) -> None:
    faulty = StoreWithFaults(store)
    outage = [StoreUnavailable("told to")] * 10_000
    gemini = ScriptedGemini(lambda: faulty.raises.extend(outage))
    with capture_logs() as logs, pytest.raises(StoreUnavailable):
        processed(faulty, time, gemini)  # type: ignore[arg-type]  # a store all the same
    (line,) = ledger_of(logs)  # type: ignore[arg-type]
    assert (line["fate"], line["gemini_calls"]) == ("unwritten", 1)


def test_where_nothing_was_asked_nothing_is_entered(store: SqliteStore, time: FakeTime) -> None:
    with capture_logs() as logs:
        processed(store, time, WithoutKey())
    assert ledger_of(logs) == []  # type: ignore[arg-type]


def test_entries_are_added_up_by_model_and_other_lines_passed_over() -> None:
    lines = [
        json.dumps(entry()),
        json.dumps({"jsonPayload": entry(fate="dropped")}),
        json.dumps(entry(model="other")),
        json.dumps({"message": "activation.completed"}),
        "not JSON",
        "[]",
    ]
    totals, _ = add_up(lines, PRICES, TODAY)
    assert totals["m"].usage.prompt_tokens == 2000
    assert totals["m"].fates == {"completed": 1, "dropped": 1}
    assert totals["other"].usage.gemini_calls == 1


def test_a_line_that_cannot_be_read_is_counted_and_the_others_are_added_up() -> None:
    lines = [json.dumps(entry(gemini_calls="many")), json.dumps(entry()), '{"message": "gem']
    totals, unread = add_up(lines, PRICES, TODAY)
    assert (totals["m"].usage.gemini_calls, unread) == (1, 2)


def test_a_file_may_be_named_and_what_could_not_be_read_is_said_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = tmp_path / "logs.jsonl"
    logs.write_bytes(json.dumps(entry()).encode() + b"\n\n\xff\n")
    main([str(logs)])
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("m: 1 calls, 1000 tokens in")
    assert said[1:] == ["lines that could not be read: 1"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--help"], 0, "Add up the ledger's lines"),
        (["--unknown"], 2, "unrecognized arguments: --unknown"),
        (["no-such-file"], 2, "no-such-file: No such file or directory\n"),
    ],
)
def test_help_an_unknown_option_and_a_missing_file_get_a_sentence(
    arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == code
    assert said in "".join(capsys.readouterr())


def test_a_line_is_billed_at_the_price_of_its_day_also_where_the_time_stands_outside() -> None:
    lines = [
        json.dumps(entry(timestamp="2026-12-31T23:59:59.5Z")),
        json.dumps({"timestamp": "2027-01-01T00:00:00Z", "jsonPayload": entry()}),
    ]
    assert add_up(lines, PRICES, TODAY)[0]["m"].usd == pytest.approx(0.007 + 0.014)


@pytest.mark.parametrize("timestamp", [None, 7, "soon"])
def test_a_line_without_a_time_has_the_price_of_today(timestamp: object) -> None:
    assert add_up([json.dumps(entry(timestamp=timestamp))], PRICES, TODAY)[0]["m"].usd == 0.007


def test_the_report_names_thoughts_cached_tokens_and_what_has_no_price() -> None:
    lines = [json.dumps(entry(thought_tokens=70, cached_tokens=500)), json.dumps(entry(model="x"))]
    said = list(report(add_up(lines, PRICES, TODAY)[0]))
    assert "1000 tokens in (500 cached), 500 out, 70 thoughts" in said[0]
    assert "0.0068 USD, 6.80 USD per 1,000 claims" in said[0]
    assert "no price known" in said[1]


def test_no_text_of_the_users_is_in_the_ledger() -> None:
    """An entry names ids and numbers, no text of the user's."""
    with capture_logs() as logs:
        record_usage(an_activation(now=NOON), {"m": Usage(gemini_calls=1)}, "completed")
    assert "komma igång" not in str(logs)
