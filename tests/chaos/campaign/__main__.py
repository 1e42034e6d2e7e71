"""`make chaos`, or `python -m tests.chaos.campaign --backend embedded --n 1000 --seed 7`."""

import argparse
import os
import shutil
import signal
import sys
from pathlib import Path

from shared.settings import Settings
from tests.chaos.campaign.campaign import campaign
from tests.chaos.campaign.plan import BACKENDS, plan_of

SECONDS_EACH = 0.18
LEAST_SECONDS = 45.0


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 1 when a count is not 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.campaign")
    parser.add_argument("--backend", choices=BACKENDS, help="both, one after the other")
    parser.add_argument("--n", type=int, default=1000, help="activations asked for (1000)")
    parser.add_argument("--seed", type=int, default=7, help="of all that is random (7)")
    parser.add_argument("--seconds", type=float, help="of submits and faults (0.18 each, 45 s)")
    parser.add_argument("--out", type=Path, default=Path(".data/chaos"), help="(.data/chaos)")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing is left behind
    for name in Settings.model_fields:  # a person's own settings are not the campaign's
        os.environ.pop(name.upper(), None)
    seconds = options.seconds or max(LEAST_SECONDS, SECONDS_EACH * options.n)
    clean = True
    for backend in [options.backend] if options.backend else BACKENDS:
        folder = (options.out / f"{backend}-{options.seed}").resolve()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        plan = plan_of(backend, seed=options.seed, number=options.n, seconds=seconds)
        findings = campaign(plan, folder)
        clean = clean and not any(findings.values())
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
