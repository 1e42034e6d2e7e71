"""The export to a collector: bounded in time whatever the collector does, and quiet about it."""

import time
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from shared.settings import Settings
from shared.telemetry.configure import configure_telemetry
from shared.telemetry.export import END_SECONDS, exporting
from shared.telemetry.provider import Telemetry, install, telemetry, without_export
from shared.telemetry.traces import span
from tests.support.emulators import free_port
from tests.support.eventually import eventually
from tests.support.otlp_receiver import OtlpReceiver

A_SLOW_MACHINE_SECONDS = 1.5


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "600000")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "5")
    yield
    install(without_export())
    # The loggers that `exporting` has silenced stay so: threads that a test left behind in an
    # export that hangs are still to fail, in the middle of some other test.


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as receiver:
        yield receiver


def started(endpoint: str, revision: str | None = None) -> Telemetry:
    settings = Settings(otel_exporter_otlp_endpoint=endpoint, k_revision=revision)
    return configure_telemetry(settings, "innerjourney-worker")


def one_span() -> None:
    with span("process"):
        telemetry().metrics.accepted(published=True)


def test_without_an_endpoint_there_is_no_exporter_and_nothing_to_end() -> None:
    assert configure_telemetry(Settings(), "innerjourney-worker") is without_export()
    without_export().flush()
    without_export().end()


@pytest.mark.parametrize("slash", ["", "/"])
def test_what_is_left_is_exported_at_the_end(
    receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch, slash: str
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "600000")
    exporter = started(receiver.url + slash)
    one_span()
    assert receiver.bodies == []
    exporter.end()
    assert [found.name for found in receiver.spans] == ["process"]
    assert "innerjourney.activations.accepted" in receiver.metrics


def test_a_flush_exports_and_goes_on(
    receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
    exporter = started(receiver.url)
    for number in (1, 2):
        one_span()
        exporter.flush()
        assert len(receiver.spans) == number
    exporter.end()


def test_the_revision_of_cloud_run_is_the_services_version(receiver: OtlpReceiver) -> None:
    exporter = started(receiver.url, revision="innerjourney-worker-00042-abc")
    one_span()
    exporter.end()
    assert b"innerjourney-worker-00042-abc" in receiver.everything


def test_opentelemetrys_own_sampler_variable_counts(
    receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    exporter = started(receiver.url)
    one_span()
    exporter.end()
    assert receiver.spans == []


def test_the_end_waits_for_a_collector_that_hangs_no_longer_than_it_may(
    receiver: OtlpReceiver,
) -> None:
    receiver.hangs.set()
    exporter = started(receiver.url)
    one_span()
    eventually(lambda: receiver.bodies, what="an export")
    begun = time.monotonic()
    exporter.end()
    assert time.monotonic() - begun < END_SECONDS + A_SLOW_MACHINE_SECONDS


def test_what_could_not_be_exported_in_the_end_is_said(receiver: OtlpReceiver) -> None:
    receiver.hangs.set()
    with capture_logs() as logs:
        exporter = started(receiver.url)
        one_span()
        exporter.end()
    assert [line["event"] for line in logs] == ["telemetry.not_exported"]


def test_a_flush_waits_no_longer_either(receiver: OtlpReceiver) -> None:
    receiver.hangs.set()
    exporter = started(receiver.url)
    one_span()
    begun = time.monotonic()
    exporter.flush()
    assert time.monotonic() - begun < END_SECONDS + A_SLOW_MACHINE_SECONDS
    exporter.end()


def test_spans_wait_for_no_collector(receiver: OtlpReceiver) -> None:
    """More than the queue holds: the rest is dropped, not waited for."""
    receiver.hangs.set()
    exporter = started(receiver.url)
    begun = time.monotonic()
    for _ in range(5000):
        one_span()
    assert time.monotonic() - begun < 20  # 5 s for each batch of 512, were they waited for
    exporter.end()


@pytest.mark.parametrize("status", [None, 400, 503])
def test_a_collector_that_takes_nothing_is_one_line_in_the_log(
    status: int | None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.1")
    with OtlpReceiver(status=status or 200) as receiver, capture_logs() as logs:
        url = receiver.url if status else f"http://127.0.0.1:{free_port()}"
        exporter = started(url)
        for _ in range(5):
            one_span()
            exporter.flush()
        exporter.end()
    assert [line["event"] for line in logs] == ["telemetry.not_exported"]
    assert caplog.records == []


def test_when_the_collector_is_back_it_is_said() -> None:
    with OtlpReceiver(status=400) as receiver, capture_logs() as logs:
        exporter = started(receiver.url)
        one_span()
        exporter.flush()
        receiver.status = 200
        one_span()
        exporter.flush()
        exporter.end()
    assert [line["event"] for line in logs] == [
        "telemetry.not_exported",
        "telemetry.exported_again",
    ]


def test_a_signals_own_address_counts(
    receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{receiver.url}/elsewhere")
    exporter = exporting(Settings(otel_exporter_otlp_endpoint=receiver.url), "innerjourney-worker")
    install(exporter)
    one_span()
    exporter.end()
    assert "/elsewhere" in {path for path, _ in receiver.bodies}


@pytest.mark.parametrize(
    ("variable", "value"),
    [("OTEL_METRIC_EXPORT_INTERVAL", "0"), ("OTEL_BSP_MAX_QUEUE_SIZE", "1")],
)
def test_a_variable_that_the_sdk_refuses_turns_telemetry_off_and_is_said(
    receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with capture_logs() as logs:
        assert started(receiver.url) is without_export()
    assert [line["event"] for line in logs] == ["telemetry.off"]


def test_headers_that_cannot_be_read_are_not_logged(
    receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """They hold the collector's token."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "secret-canary")
    exporter = started(receiver.url)
    one_span()
    exporter.end()
    assert caplog.records == []


def test_headers_are_sent_to_the_collector_and_are_in_no_span(
    receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-token=secret-canary")
    exporter = started(receiver.url)
    one_span()
    exporter.end()
    assert receiver.headers[0]["x-token"] == "secret-canary"
    assert b"secret-canary" not in receiver.everything
