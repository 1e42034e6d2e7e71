"""What the logs look like, and what never stands in them.

Each program runs in a process of its own: what is tested is the configuration of a whole process.
"""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests import ROOT

CANARY = "secret-canary"

LOGGING = """
import logging, structlog
from shared.telemetry.logs import configure_logging

configure_logging({level!r}, json={json})
log = structlog.get_logger("ours")
"""

A_ROUTE_THAT_RAISES = """
from flask import Flask
from shared.http.problems import install_problems

app = Flask("small", static_folder=None)
install_problems(app)

@app.get("/")
def route():
    goal = "secret-canary of the frame"
    raise ValueError("secret-canary")

answer = app.test_client().get("/")
print(answer.status_code, answer.content_type, answer.get_data(as_text=True))
"""


def run(program: str, *, as_json: bool = True, level: str = "INFO") -> tuple[str, str]:
    """Its standard output and its log."""
    done = subprocess.run(
        [sys.executable, "-c", LOGGING.format(json=as_json, level=level) + program],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return done.stdout, done.stderr


def logged(program: str, **options: Any) -> str:
    return run(program, **options)[1]


def events(program: str, **options: Any) -> list[dict[str, Any]]:
    """Lines as Cloud Logging sees them: a newline ends one, nothing else does."""
    lines = logged(program, **options).removesuffix("\n").split("\n")
    return [json.loads(line) for line in lines]


# JSON


@pytest.mark.parametrize(
    ("call", "severity", "message"),
    [
        ("log.info('activation.accepted')", "INFO", "activation.accepted"),
        ("log.warning('gemini.retry')", "WARNING", "gemini.retry"),
        ("log.error('unexpected')", "ERROR", "unexpected"),
        ("logging.getLogger('a.library').warning('took %d s', 5)", "WARNING", "took 5 s"),
        ("logging.getLogger('a.library').critical('gone')", "CRITICAL", "gone"),
    ],
)
def test_a_line_is_an_object_with_severity_and_message(
    call: str, severity: str, message: str
) -> None:
    (event,) = events(call)
    assert (event["severity"], event["message"]) == (severity, message)


def test_what_is_logged_beside_the_message_has_its_name() -> None:
    (event,) = events("log.info('activation.accepted', activation_id='a1', mood=2)")
    assert (event["activation_id"], event["mood"]) == ("a1", 2)


def test_what_is_bound_to_the_context_is_logged() -> None:
    (event,) = events(
        "with structlog.contextvars.bound_contextvars(traceparent='00-1'): log.info('x')"
    )
    assert event["traceparent"] == "00-1"


def test_every_line_has_its_time_in_utc() -> None:
    (event,) = events("log.info('x')")
    assert event["timestamp"].endswith("Z")


@pytest.mark.parametrize("text", [r"two\nlines", r"\r\n\u2028", "å", r"\ud800", '"quoted"'])
def test_whatever_is_logged_stays_one_object_on_one_line(text: str) -> None:
    assert len(events(f"log.info('x', text={text!r}.encode().decode('unicode_escape'))")) == 1


def test_what_json_does_not_know_is_logged_all_the_same() -> None:
    assert len(events("log.info('x', value=object(), error=ValueError('y'))")) == 1


def test_each_event_is_a_line() -> None:
    found = events("for number in range(3): log.info('x', number=number)")
    assert [event["number"] for event in found] == [0, 1, 2]


def test_a_traceback_is_a_part_of_its_object() -> None:
    program = "try: 1 / 0\nexcept ZeroDivisionError: log.exception('x')"
    (event,) = events(program)
    assert "ZeroDivisionError" in event["exception"]


@pytest.mark.parametrize(("level", "expected"), [("DEBUG", 3), ("INFO", 2), ("ERROR", 1)])
def test_what_is_below_the_level_is_left_out(level: str, expected: int) -> None:
    program = "log.debug('x'); log.info('x'); log.error('x')"
    assert len(events(program, level=level)) == expected


@pytest.mark.parametrize("as_json", [True, False])
def test_configuring_twice_logs_once(as_json: bool) -> None:
    program = f"configure_logging('INFO', json={as_json}); log.info('once.only')"
    assert logged(program, as_json=as_json).count("once.only") == 1


@pytest.mark.parametrize("as_json", [True, False])
def test_logs_do_not_go_to_standard_output(as_json: bool) -> None:
    assert run("log.info('x')", as_json=as_json)[0] == ""


# On a terminal


def test_a_line_on_a_terminal_reads_as_text() -> None:
    line = logged("log.info('activation.accepted', activation_id='a1')", as_json=False)
    assert "activation.accepted" in line
    assert "activation_id=a1" in line


def test_no_colours_are_written_where_there_is_no_terminal() -> None:
    assert "\x1b" not in logged("log.error('x', a=1)", as_json=False)


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("logger", ["log", "logging.getLogger('a.library')"])
def test_a_traceback_shows_no_local_variables(as_json: bool, logger: str) -> None:
    program = (
        "def fails():\n"
        "    goal = '-'.join(('secret', 'canary'))\n"
        "    raise ValueError('told to')\n"
        f"try: fails()\nexcept ValueError: {logger}.exception('x')\n"
    )
    text = logged(program, as_json=as_json)
    assert "ValueError" in text
    assert CANARY not in text


def test_tracebacks_on_a_terminal_stay_plain_where_rich_is_installed() -> None:
    """structlog's default prints local variables there; it is not installed here, so we look."""
    program = (
        "renderer = logging.getLogger().handlers[0].formatter.processors[-1]\n"
        "print(renderer.exception_formatter is structlog.dev.plain_traceback)\n"
        "print(structlog.dev.RichTracebackFormatter().show_locals)\n"
    )
    assert run(program, as_json=False)[0].split() == ["True", "True"]


# A bug in a route


@pytest.fixture(scope="module", params=[True, False], ids=["json", "console"])
def bug(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The answer and the log of a route that raises."""
    return run(A_ROUTE_THAT_RAISES, as_json=request.param)


def test_a_bug_is_answered_with_a_500_problem(bug: tuple[str, str]) -> None:
    assert bug[0].startswith("500 application/problem+json ")


def test_the_answer_to_a_bug_holds_nothing_of_it(bug: tuple[str, str]) -> None:
    assert CANARY not in bug[0]
    assert "ValueError" not in bug[0]


def test_the_log_of_a_bug_names_its_class_and_place(bug: tuple[str, str]) -> None:
    assert "ValueError" in bug[1]
    assert "route" in bug[1]


def test_the_log_of_a_bug_holds_neither_its_message_nor_its_variables(
    bug: tuple[str, str],
) -> None:
    assert CANARY not in bug[1]


@pytest.mark.parametrize(
    "library",
    ["google.auth.transport", "urllib3.connectionpool", "httpcore.http11", "httpx", "google_genai"],
)
def test_at_debug_our_own_lines_are_shown_and_what_libraries_say_of_requests_is_not(
    library: str,
) -> None:
    program = f"""
logging.getLogger({library!r}).debug("POST /v1beta?key={CANARY}")
logging.getLogger({library!r}).info("body: {CANARY}")
logging.getLogger({library!r}).warning("the connection was lost")
logging.getLogger("ours").debug("seen")
"""
    said = logged(program, level="DEBUG")
    assert CANARY not in said
    assert "the connection was lost" in said
    assert "seen" in said


# The trace


IN_A_TRACE = """
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

context = SpanContext(0xaf7651916cd43dd8448eb211c80319c, 0xb7ad, True, TraceFlags({flags}))
configure_logging("INFO", json={json}, project={project!r})
with use_span(NonRecordingSpan(context)):
    {call}
"""
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
GOOGLES = "logging.googleapis.com/"


def in_a_trace(
    *, project: str | None = "a-project", flags: int = 1, call: str = "log.info('x')"
) -> dict[str, Any]:
    program = IN_A_TRACE.format(json=True, project=project, flags=flags, call=call)
    (event,) = events(program)
    return event


@pytest.mark.parametrize("call", ["log.info('x')", "logging.getLogger('a.library').warning('x')"])
def test_a_line_is_tied_to_its_span_as_cloud_logging_reads_it(call: str) -> None:
    event = in_a_trace(call=call)
    assert event[f"{GOOGLES}trace"] == f"projects/a-project/traces/{TRACE_ID}"
    assert event[f"{GOOGLES}spanId"] == "000000000000b7ad"
    assert event[f"{GOOGLES}trace_sampled"] is True


def test_a_line_says_that_its_trace_is_not_sampled() -> None:
    assert in_a_trace(flags=0)[f"{GOOGLES}trace_sampled"] is False


def test_without_a_project_the_bare_trace_id_is_logged() -> None:
    event = in_a_trace(project=None)
    assert event["trace_id"] == TRACE_ID
    assert not [name for name in event if name.startswith(GOOGLES)]


def test_outside_of_a_trace_a_line_names_none() -> None:
    (event,) = events("configure_logging('INFO', json=True, project='p'); log.info('x')")
    assert not [name for name in event if "trace" in name]


def test_on_a_terminal_a_line_shows_a_short_trace_only() -> None:
    program = IN_A_TRACE.format(json=False, project="p", flags=1, call="log.info('x')")
    line = logged(program, as_json=False)
    assert f"trace={TRACE_ID[:8]}" in line
    assert TRACE_ID not in line
    assert GOOGLES not in line


RECORDS = """
from shared.domain.activation import Usage
from tests.builders import NOON, an_activation, an_answer
from shared.ports import Stored
from worker.pipeline.records import record_usage, write_answer

log.warning("hidden")
record_usage(an_activation(), {"m": Usage(gemini_calls=1)}, "completed")
stored = Stored(activation=an_activation(), version="1", written_at=NOON, read_at=NOON)
write_answer(lambda *_: None, stored, an_answer(), now=NOON, by="sweep")
"""


def test_no_level_hides_the_lines_that_are_added_up() -> None:
    lines = [json.loads(line) for line in logged(RECORDS, level="ERROR").splitlines()]
    assert [line["message"] for line in lines] == ["gemini.usage", "activation.completed"]
