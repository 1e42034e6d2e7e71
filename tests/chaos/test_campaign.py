"""The short campaign, as CI runs it: every promise is kept while everything around it fails."""

from pathlib import Path

import pytest

from tests.chaos.campaign.campaign import campaign
from tests.chaos.campaign.plan import BACKENDS, Backend, plan_of
from tests.support.emulators import need_emulators

SEED, NUMBER, SECONDS = 7, 150, 45.0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_is_lost_late_paid_twice_or_mixed_up(tmp_path: Path, backend: Backend) -> None:
    if backend == "emulators":
        need_emulators()
    plan = plan_of(backend, seed=SEED, number=NUMBER, seconds=SECONDS)
    found = {name: ids for name, ids in campaign(plan, tmp_path).items() if ids}
    assert found == {}
