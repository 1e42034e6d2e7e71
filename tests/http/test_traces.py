"""The trace of a request, through both apps: what is a span, what is measured, what is logged."""

import io
import json
import logging
from typing import Any

import pytest
from opentelemetry.trace import format_trace_id

from local.sqlite.store import SqliteStore
from shared.domain.activation import Usage
from shared.domain.messages import Message, decode, encode
from shared.errors import StoreUnavailable
from shared.telemetry.logs import configure_logging
from tests.builders import an_activation
from tests.doubles import FakeTime, ScriptedGemini
from tests.http.conftest import GOOD, Apps, deliver
from tests.http.pushes import envelope, push
from tests.support.recorded_telemetry import Recorded
from worker.gemini.port import Unavailable

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"
HEADERS = {"traceparent": TRACEPARENT}
CANARY = "kanariefågel"


def submit(apps: Apps, **headers: str) -> str:
    answer = apps.ingress.post("/activations", json=GOOD, headers=headers)
    assert answer.status_code == 202
    return str(answer.get_json()["activation_id"])


def trace_ids(recorded: Recorded) -> set[str]:
    return {format_trace_id(span.context.trace_id) for span in recorded.spans}


# Spans


def test_a_submit_and_its_delivery_are_one_trace(apps: Apps, recorded: Recorded) -> None:
    submit(apps, **HEADERS)
    deliver(apps)
    names = [span.name for span in recorded.spans]
    assert names == ["publish", "submit", "complete", "process"]
    assert trace_ids(recorded) == {TRACE_ID}


def test_without_a_traceparent_a_submit_begins_a_trace(apps: Apps, recorded: Recorded) -> None:
    submit(apps)
    assert recorded.one("submit").parent is None
    assert len(trace_ids(recorded)) == 1


def test_the_span_of_the_first_frontends_route_is_a_submit_as_well(
    apps: Apps, recorded: Recorded
) -> None:
    apps.ingress.post("/gemini/getActivation", json=GOOD)
    attributes = recorded.one("submit").attributes or {}
    assert attributes["http.route"] == "/gemini/getActivation"
    assert attributes["http.response.status_code"] == 504
    assert attributes["error.type"] == "504"


def test_a_refused_submit_is_no_error_of_ours(apps: Apps, recorded: Recorded) -> None:
    apps.ingress.post("/activations", json={"mood": 9})
    refused = recorded.one("submit")
    assert (refused.attributes or {})["http.response.status_code"] == 422
    assert refused.status.is_unset


@pytest.mark.parametrize("path", ["/", "/livez", "/activations", "/nowhere"])
def test_what_only_reads_is_no_span(apps: Apps, recorded: Recorded, path: str) -> None:
    apps.ingress.get(path, headers=HEADERS)
    assert recorded.spans == []


def test_the_process_span_says_what_became_of_the_delivery(apps: Apps, recorded: Recorded) -> None:
    activation_id = submit(apps)
    deliver(apps)
    attributes = recorded.one("process").attributes or {}
    assert attributes["innerjourney.outcome"] == "completed"
    assert attributes["innerjourney.attempt"] == 1
    assert attributes["innerjourney.activation_id"] == activation_id
    assert attributes["messaging.system"] == "gcp_pubsub"


def test_a_message_that_nobody_understands_is_a_failed_process(
    apps: Apps, recorded: Recorded
) -> None:
    push(apps.worker, Message(CANARY.encode(), {"traceparent": TRACEPARENT}))
    attributes = recorded.one("process").attributes or {}
    assert attributes["error.type"] == "MessageNotUnderstood"
    assert trace_ids(recorded) == {TRACE_ID}


@pytest.mark.parametrize("known", [None, "nonsense"])
def test_a_message_without_a_trace_belongs_to_the_pushs_own(
    apps: Apps, store: SqliteStore, recorded: Recorded, known: str | None
) -> None:
    stored = store.create(an_activation(traceparent=known))
    body = encode(stored.activation, stored.version)
    apps.worker.post("/pubsub/push", json=envelope(body), headers=HEADERS)
    assert trace_ids(recorded) == {TRACE_ID}


def test_what_the_sweep_publishes_goes_on_with_the_submits_trace(
    apps: Apps, recorded: Recorded, time: FakeTime
) -> None:
    apps.publisher.broken = True
    submit(apps, **HEADERS)
    apps.publisher.broken = False
    time.advance(60)
    assert apps.worker.post("/tasks/sweep").get_json()["republished"] == 1
    deliver(apps)
    assert trace_ids(recorded) == {TRACE_ID}
    assert [span.name for span in recorded.spans].count("publish") == 2


# Metrics


def test_an_accepted_activation_is_counted_by_whether_it_was_published(
    apps: Apps, recorded: Recorded
) -> None:
    submit(apps)
    apps.publisher.broken = True
    submit(apps)
    points = recorded.points("innerjourney.activations.accepted")
    assert sorted(points, key=str) == [({"published": False}, 1), ({"published": True}, 1)]


def test_an_answer_is_counted_by_source_and_reason(
    apps: Apps, recorded: Recorded, gemini: ScriptedGemini
) -> None:
    gemini.plan(Unavailable("503"))
    submit(apps)
    deliver(apps)
    expected = {"source": "fallback", "reason": "unavailable"}
    assert recorded.points("innerjourney.activations.completed") == [(expected, 1)]


def test_a_dead_letter_and_a_sweep_past_the_deadline_are_counted_as_well(
    apps: Apps, recorded: Recorded, time: FakeTime
) -> None:
    submit(apps)
    time.advance(600)
    push(apps.worker, apps.message, "/pubsub/dead-letter")
    submit(apps)
    time.advance(600)
    apps.worker.post("/tasks/sweep")
    points = recorded.points("innerjourney.activations.completed")
    assert {point["reason"] for point, _ in points} == {"undeliverable", "deadline"}


def test_the_wait_in_the_queue_and_for_the_answer_is_measured_by_the_stores_time(
    apps: Apps, recorded: Recorded, time: FakeTime
) -> None:
    submit(apps)
    time.advance(4)
    deliver(apps)
    assert recorded.points("innerjourney.activation.queue_delay") == [({}, 4.0)]
    ((_, answered),) = recorded.points("innerjourney.activation.time_to_answer")
    assert 4.0 <= answered < 5.0


def test_a_claim_after_a_worker_was_lost_is_no_delay_of_the_queue(
    apps: Apps, recorded: Recorded, gemini: ScriptedGemini, time: FakeTime
) -> None:
    def breaks() -> None:
        raise RuntimeError("told to")

    gemini.plan(breaks)
    submit(apps)
    deliver(apps)
    time.advance(100)
    deliver(apps)
    assert recorded.points("innerjourney.activation.queue_delay") == [({}, 0.0)]


def test_a_claim_after_gemini_wanted_a_pause_is_no_delay_of_the_queue(
    apps: Apps, recorded: Recorded, gemini: ScriptedGemini, time: FakeTime
) -> None:
    paid = Usage(gemini_calls=1)
    gemini.plan(Unavailable("429", reason="quota", retry_after=30, usage=paid))
    submit(apps)
    deliver(apps)
    time.advance(60)
    deliver(apps)
    assert recorded.points("innerjourney.activation.queue_delay") == [({}, 0.0)]
    assert len(gemini.requests) == 2


def test_a_second_delivery_is_not_measured_again(apps: Apps, recorded: Recorded) -> None:
    submit(apps)
    deliver(apps)
    deliver(apps)
    ((_, completed),) = recorded.points("innerjourney.activations.completed")
    assert completed == 1


# Nothing personal


def test_neither_spans_nor_metrics_hold_anything_personal(
    apps: Apps, recorded: Recorded, store: SqliteStore
) -> None:
    body = {**GOOD, "goal": CANARY, "profile": {"focusArea": CANARY}}
    apps.ingress.post(
        "/activations",
        json=body,
        headers={**HEADERS, "tracestate": "a=canary", "baggage": "goal=canary"},
    )
    assert decode(apps.message).activation.goal == CANARY
    deliver(apps)
    assert CANARY not in recorded.everything
    assert "canary" not in recorded.everything
    assert "Ett glas vatten" not in recorded.everything
    assert set(apps.message.attributes) == {"activation_id", "schema", "traceparent"}


# Logs


@pytest.fixture
def log() -> io.StringIO:
    configure_logging("DEBUG", json=True, project="a-project")
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    handler.setStream(written)
    return written


def events(log: io.StringIO) -> dict[str, dict[str, Any]]:
    return {event["message"]: event for event in map(json.loads, log.getvalue().splitlines())}


def trace_of(event: dict[str, Any]) -> str:
    return str(event["logging.googleapis.com/trace"])


def test_each_line_of_a_request_names_the_callers_trace(apps: Apps, log: io.StringIO) -> None:
    submit(apps, **HEADERS)
    found = events(log)
    assert {"activation.accepted", "request"} <= set(found)
    for event in found.values():
        assert trace_of(event) == f"projects/a-project/traces/{TRACE_ID}"


def test_a_read_names_the_callers_trace_as_well(apps: Apps, log: io.StringIO) -> None:
    apps.ingress.get("/activations", headers=HEADERS)
    assert trace_of(events(log)["request"]).endswith(TRACE_ID)


def test_a_read_that_succeeds_is_a_line_for_debugging_and_one_that_fails_is_not(
    apps: Apps, log: io.StringIO
) -> None:
    apps.ingress.get("/activations")
    assert events(log)["request"]["severity"] == "DEBUG"
    apps.ingress.get("/activations/none")
    assert events(log)["request"]["severity"] == "INFO"


def test_each_line_of_a_push_names_the_messages_trace_and_not_the_pushs(
    apps: Apps, log: io.StringIO
) -> None:
    submit(apps, **HEADERS)
    log.truncate(0)
    log.seek(0)
    other = {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}
    apps.worker.post("/pubsub/push", json=envelope(apps.message), headers=other)
    found = events(log)
    assert {"activation.completed", "request"} <= set(found)
    assert {trace_of(event) for event in found.values()} == {
        f"projects/a-project/traces/{TRACE_ID}"
    }


def test_a_dead_letters_lines_name_the_messages_trace(
    apps: Apps, log: io.StringIO, time: FakeTime
) -> None:
    submit(apps, **HEADERS)
    time.advance(600)
    log.truncate(0)
    log.seek(0)
    push(apps.worker, apps.message, "/pubsub/dead-letter")
    assert trace_of(events(log)["activation.undeliverable"]).endswith(TRACE_ID)


def test_two_requests_are_two_traces(apps: Apps, log: io.StringIO) -> None:
    apps.ingress.get("/activations")
    apps.ingress.get("/activations")
    first, second = (trace_of(json.loads(line)) for line in log.getvalue().splitlines())
    assert first != second


def test_after_a_request_no_trace_is_left_over(apps: Apps, log: io.StringIO) -> None:
    submit(apps, **HEADERS)
    deliver(apps)
    logging.getLogger("later").warning("later")
    assert "logging.googleapis.com/trace" not in events(log)["later"]


def test_a_store_that_is_away_leaves_its_lines_with_the_trace(
    apps: Apps, log: io.StringIO, monkeypatch: pytest.MonkeyPatch, store: SqliteStore
) -> None:
    def away(_: str) -> None:
        raise StoreUnavailable("told to")

    monkeypatch.setattr(type(store), "get", lambda _, activation_id: away(activation_id))
    apps.ingress.get(f"/activations/{'a' * 32}", headers=HEADERS)
    assert all(TRACE_ID in trace_of(event) for event in events(log).values())
