"""docs/telemetry.md names the metrics and attributes that there are, and no others."""

import re

from tests import ROOT

DOCUMENT = (ROOT / "docs" / "telemetry.md").read_text(encoding="utf-8")
CODE = "\n".join(
    (ROOT / name).read_text(encoding="utf-8")
    for name in (
        "shared/telemetry/metrics.py",
        "shared/telemetry/request_traces.py",
        "shared/telemetry/traced_publisher.py",
        "shared/telemetry/traces.py",
        "worker/gemini/calls.py",
        "worker/pipeline/process.py",
        "worker/pipeline/records.py",
    )
)
NAMES = r"((?:innerjourney|gen_ai|http|messaging|error)\.[a-z_]+(?:\.[a-z_]+)*)"


def test_every_name_in_the_code_is_documented_and_the_other_way_round() -> None:
    assert set(re.findall(f'"{NAMES}"', CODE)) == set(re.findall(f"`{NAMES}`", DOCUMENT))


def test_every_attribute_of_a_metric_is_in_its_row() -> None:
    attributes = set(
        re.findall(r'[{ ]"([a-z]+)": ', (ROOT / "shared/telemetry/metrics.py").read_text())
    )
    rows = [row.split("|") for row in DOCUMENT.splitlines() if row.startswith("| `innerjourney.")]
    assert set(re.findall(r"`([a-z]+)`", " ".join(row[3] for row in rows))) == attributes
