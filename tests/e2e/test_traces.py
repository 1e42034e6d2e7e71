"""One trace from the browser's request to the write-back, as a collector sees it, and the metrics;
sent by the real processes over OTLP."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from shared.settings import Settings
from tests.e2e.pipeline import GOOD, KEY, QUICKLY, running
from tests.fake_gemini import Call, FakeGemini, answer, error
from tests.support.emulators import need_emulators
from tests.support.eventually import eventually
from tests.support.otlp_receiver import OtlpReceiver, SeenSpan

CANARY = "kanariefågel-5520"
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
BROWSERS_SPAN = "b7ad6b7169203331"
SERVER, CLIENT, PRODUCER, CONSUMER, INTERNAL = 2, 3, 4, 5, 1


@dataclass(frozen=True)
class Run:
    """One activation's way, after everything has been stopped."""

    activation_id: str
    shown: dict[str, Any]
    spans: list[SeenSpan]
    metrics: dict[str, list[dict[str, Any]]]
    sent: bytes
    output: str
    calls: list[Call]

    def one(self, name: str) -> SeenSpan:
        (found,) = (span for span in self.spans if span.name == name)
        return found

    def children(self, parent: SeenSpan) -> list[str]:
        return [span.name for span in self.spans if span.parent_id == parent.span_id]


@pytest.fixture(scope="module", params=["embedded", "emulators"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Gemini fails once, so that there are two calls."""
    on_emulators = request.param == "emulators"
    if on_emulators:
        need_emulators()
    folder = tmp_path_factory.mktemp("traced")
    with (
        OtlpReceiver() as receiver,
        FakeGemini(default=answer(title=f"{CANARY} svar")) as gemini,
        running(
            folder,
            gemini,
            emulators=on_emulators,
            environment={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, **QUICKLY},
        ) as pipeline,
    ):
        gemini.next(error(503))
        asked = requests.post(
            f"{pipeline.url}/activations",
            json={**GOOD, "goal": f"{CANARY} mål", "profile": {"focusArea": CANARY}},
            headers={
                "traceparent": f"00-{TRACE_ID}-{BROWSERS_SPAN}-01",
                "tracestate": f"vendor={CANARY.encode().hex()}",
                "Authorization": f"Bearer {CANARY}".encode(),
            },
            timeout=30,
        )
        activation_id = asked.json()["activation_id"]
        shown = pipeline.wait_until_done(activation_id)
        eventually(
            lambda: {"submit", "process"} <= {span.name for span in receiver.spans},
            seconds=60,
            what="the export of the outer spans",
        )
        assert pipeline.stop() == 0
        yield Run(
            activation_id,
            shown,
            receiver.spans,
            receiver.metrics,
            receiver.everything,
            pipeline.output,
            list(gemini.calls),
        )


def test_the_spans_are_of_one_trace_and_it_is_the_browsers(run: Run) -> None:
    assert run.shown["source"] == "gemini"
    assert {span.trace_id for span in run.spans} == {TRACE_ID}


def test_submit_publish_process_gemini_and_complete_are_each_others_children(run: Run) -> None:
    submit, publish, process = run.one("submit"), run.one("publish"), run.one("process")
    assert submit.parent_id == BROWSERS_SPAN
    assert publish.parent_id == submit.span_id
    assert process.parent_id == publish.span_id
    assert sorted(run.children(process)) == ["complete", "gemini", "gemini"]


def test_each_span_is_of_the_service_and_the_kind_that_it_should_be(run: Run) -> None:
    found = {
        (span.name, span.service.removeprefix("innerjourney-"), span.kind) for span in run.spans
    }
    assert found == {
        ("submit", "ingress", SERVER),
        ("publish", "ingress", PRODUCER),
        ("process", "worker", CONSUMER),
        ("gemini", "worker", CLIENT),
        ("complete", "worker", INTERNAL),
    }


def test_each_call_of_gemini_is_a_span_that_says_what_came_of_it(run: Run) -> None:
    calls = [span.attributes for span in run.spans if span.name == "gemini"]
    assert [call.get("error.type") for call in calls] == ["Unavailable", None]
    assert {call["gen_ai.request.model"] for call in calls} == {Settings().gemini_model}
    usage = run.shown["usage"]
    paid = usage["output_tokens"] + usage["thought_tokens"]
    assert calls[1]["gen_ai.usage.output_tokens"] == paid > usage["output_tokens"] > 0


def test_submit_says_how_it_was_answered(run: Run) -> None:
    attributes = run.one("submit").attributes
    assert attributes["http.request.method"] == "POST"
    assert attributes["http.route"] == "/activations"
    assert attributes["http.response.status_code"] == 202
    assert attributes["innerjourney.activation_id"] == run.activation_id


def test_gemini_is_not_told_the_trace(run: Run) -> None:
    for call in run.calls:
        assert TRACE_ID not in str(call.headers)


def test_the_metrics_of_both_services_arrive_when_they_end(run: Run) -> None:
    assert {"source": "gemini", "reason": "none"} in run.metrics[
        "innerjourney.activations.completed"
    ]
    outcomes = [point["outcome"] for point in run.metrics["innerjourney.gemini.calls"]]
    assert set(outcomes) == {"unavailable", "ok"}
    assert {
        "innerjourney.activations.accepted",
        "innerjourney.activation.queue_delay",
        "innerjourney.activation.time_to_answer",
        "innerjourney.generation.duration",
        "innerjourney.gemini.tokens",
    } <= set(run.metrics)


def test_nothing_personal_is_sent_to_the_collector(run: Run) -> None:
    assert run.activation_id.encode() in run.sent
    assert CANARY.encode() not in run.sent
    assert CANARY.encode().hex().encode() not in run.sent
    assert KEY.encode() not in run.sent


def test_the_log_names_the_trace_in_both_services(run: Run) -> None:
    said = [line for line in run.output.splitlines() if f"trace={TRACE_ID[:8]}" in line]
    for event in ("activation.accepted", "activation.completed", "gemini.usage"):
        assert any(event in line for line in said), event
    assert sum(" request " in line for line in said) == 2  # the submit's and the push's
