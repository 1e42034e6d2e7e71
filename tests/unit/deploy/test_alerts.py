"""What deploy/alerts/ and the metric look for is what the code logs and the script makes."""

import ast
import inspect
import json
import re
from typing import Any

import pytest

from local.emulators.subscriptions import DEAD_LETTER_SUBSCRIPTION, PUSH_SUBSCRIPTION
from shared.settings import Settings
from tests import ROOT
from worker.pipeline.records import write_answer

METRIC: dict[str, Any] = json.loads((ROOT / "deploy" / "activations-completed.json").read_text())


def condition(alert: str) -> dict[str, Any]:
    found = json.loads((ROOT / "deploy" / "alerts" / f"{alert}.json").read_text())
    [only] = found["conditions"]
    return {key: value for key, value in only.items() if key != "displayName"}


def logged() -> dict[str, list[set[str]]]:
    """By event, the fields of each call that logs it in the worker."""
    calls: dict[str, list[set[str]]] = {}
    for module in (ROOT / "worker").rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log."):
                fields = {keyword.arg or "" for keyword in node.keywords}
                for event in node.args[:1]:
                    calls.setdefault(ast.unparse(event).strip("'"), []).append(fields)
    return calls


def test_each_line_that_the_metric_counts_says_who_answered_and_why() -> None:
    [event] = re.findall(r'jsonPayload\.message="([^"]+)"', METRIC["filter"])
    [fields] = logged()[event]
    assert {"source", "reason"} <= fields


def test_one_function_writes_every_answer_and_logs_that_line() -> None:
    sources = {file.name: file.read_text() for file in (ROOT / "worker").rglob("*.py")}
    completing = {name: found for name, text in sources.items() if (found := _completing(text))}
    assert completing == {"records.py": ["write_answer"]}
    [event] = re.findall(r'jsonPayload\.message="([^"]+)"', METRIC["filter"])
    assert f'log.info(\n        "{event}"' in inspect.getsource(write_answer)


def test_the_metrics_labels_are_those_fields() -> None:
    named = {label["key"] for label in METRIC["metricDescriptor"]["labels"]}
    assert METRIC["labelExtractors"] == {key: f"EXTRACT(jsonPayload.{key})" for key in named}
    assert named == {"source", "reason"}


def test_the_share_of_fallbacks_is_asked_of_the_metric_that_the_script_makes() -> None:
    query = condition("fallback-share")["conditionPrometheusQueryLanguage"]["query"]
    [metric] = set(re.findall(r"logging_googleapis_com:user_(\w+)", query))
    assert 'gcloud logging metrics create "${METRIC[@]}"' in _watching()
    assert f"METRIC=({metric} --config-from-file=deploy/activations-completed.json" in _watching()
    assert "/ sum(" in query
    assert "> 0.2" in query


@pytest.mark.parametrize(
    ("alert", "metric", "threshold"),
    [
        ("dead-letters", "subscription/dead_letter_message_count", 0),
        ("oldest-unacked", "subscription/oldest_unacked_message_age", 300),
    ],
)
def test_the_alerts_of_the_queue_watch_our_subscriptions(
    alert: str, metric: str, threshold: int
) -> None:
    found = condition(alert)["conditionThreshold"]
    assert f'metric.type="pubsub.googleapis.com/{metric}"' in found["filter"]
    assert found["thresholdValue"] == threshold
    [prefix] = re.findall(r'subscription_id=starts_with\("([^"]+)"\)', found["filter"])
    pulled = (Settings().pubsub_subscription, Settings().pubsub_dead_letter_subscription)
    for name in (PUSH_SUBSCRIPTION, DEAD_LETTER_SUBSCRIPTION, *pulled):
        assert name.startswith(prefix)


def test_a_line_that_asks_for_a_human_is_found_by_its_field() -> None:
    assert "jsonPayload.alert=true" in condition("needs-a-human")["conditionMatchedLog"]["filter"]
    assert [event for event, calls in logged().items() if {"alert"} <= set().union(*calls)]


def test_a_refused_key_has_an_alert_of_its_own_and_only_that_one() -> None:
    of_the_key = condition("key-refused")["conditionMatchedLog"]["filter"]
    [event] = re.findall(r'jsonPayload\.message="([^"]+)"', of_the_key)
    assert event in logged()
    others = condition("needs-a-human")["conditionMatchedLog"]["filter"]
    assert f'jsonPayload.message!="{event}"' in others


def _completing(source: str) -> list[str]:
    """The functions that complete an activation."""
    return [
        function.name
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
        and ast.unparse(call.func).endswith(".completed")
        and "now" in {keyword.arg for keyword in call.keywords}
    ]


def _watching() -> str:
    return (ROOT / "deploy" / "watching.sh").read_text()
