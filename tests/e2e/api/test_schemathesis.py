"""schemathesis against the running API: what the OpenAPI document says is what it does."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.pipeline import Pipeline, running
from tests.support.google_keys import GoogleKeys
from tests.support.tables import RecordProperty

PROJECT = "innerjourney"
FEWEST_CASES = 2000
EXAMPLES_PER_OPERATION = "250"
SEED = os.environ.get("TEST_SEED", "20261123")
"""Fixed unless told: a new seed is for looking for faults, not for stopping a merge."""

NO_LIMITS = {
    "DAILY_LIMIT_PER_USER": "0",
    "BURST_LIMIT_PER_USER": "0",
    "BURST_LIMIT_PER_ADDRESS": "0",
}


@pytest.fixture
def keys() -> Iterator[GoogleKeys]:
    with GoogleKeys() as keys:
        yield keys


@pytest.fixture
def signed_in(keys: GoogleKeys, tmp_path: Path) -> Iterator[Pipeline]:
    """With AUTH=firebase, so that what the document says of tokens is tried as well."""
    environment = {
        **NO_LIMITS,
        "AUTH": "firebase",
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "AUTH_JWKS_URL": keys.url,
        "SYNC_WAIT_SECONDS": "1",
    }
    with running(tmp_path / "run", environment=environment) as pipeline:
        yield pipeline


@pytest.mark.timeout(400)
def test_every_check_passes_on_thousands_of_cases(
    signed_in: Pipeline, keys: GoogleKeys, record_property: RecordProperty
) -> None:
    issuer = f"https://securetoken.google.com/{PROJECT}"
    token = keys.sign({"iss": issuer, "aud": PROJECT, "sub": "schemathesis"})
    ended = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("schemathesis")), "--config-file"),
            *(str(Path(__file__).with_name("schemathesis.toml")), "run"),
            *(f"{signed_in.url}/openapi.json", "-H", f"Authorization: Bearer {token}"),
            *("--checks", "all", "-n", EXAMPLES_PER_OPERATION, "--seed", SEED),
            *("--continue-on-failure", "--no-color"),
        ],
        cwd=signed_in.folder,
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    summary = ended.stdout[ended.stdout.find("= SUMMARY =") :]
    lines = [line for line in summary.splitlines()[1:] if line.strip()]
    record_property("schemathesis", "\n".join(lines))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    generated = re.search(r"(\d+) generated, (\d+) passed", summary)
    assert generated
    assert generated[1] == generated[2]
    assert int(generated[1]) >= FEWEST_CASES
    assert "unexpected" not in signed_in.output
    assert "Traceback" not in signed_in.output
