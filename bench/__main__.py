"""`make bench`: measure this backend beside what people would pick instead (docs/performance.md).

The table goes to the terminal; the table, all figures as JSON and the plots go into a folder.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from bench.compare.delivery import delivery_ms
from bench.compare.figures import LEGEND, percentile, table
from bench.compare.measure import FULL, QUICK, Measured, Plan, measure
from bench.compare.plots import plot
from bench.compare.surroundings import Surroundings, started
from bench.compare.systems import SYSTEMS, System, present
from local.run.processes import NotReady

DELIVERIES = 40


def run(
    plan: Plan, systems: list[System], around: Surroundings, folder: Path
) -> Iterator[Measured]:
    """Round by round, so that what else the machine does falls on all of them."""
    for number in range(1, plan.rounds + 1):
        for index, system in enumerate(systems):
            print(f"round {number} of {plan.rounds}: {system.name}", file=sys.stderr)
            yield from measure(system, around, plan, number, folder / f"{number}-{index}")


def machine() -> dict[str, object]:
    info = Path("/proc/cpuinfo").read_text()
    model = info.partition("model name")[2].partition("\n")[0].strip("\t :")
    return {
        "cpu": model or platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": os.getloadavg(),
    }


def report(plan: Plan, systems: list[System], out: Path) -> list[str]:
    """The lines of the table, which `out` gets as well; the logs are in its folder `run`.

    Raises NotReady.
    """
    on = machine()
    needs = {system.needs for system in systems if system.needs}
    shutil.rmtree(out / "run", ignore_errors=True)
    (out / "run").mkdir(parents=True)
    with started(out / "run", needs, sys.executable) as around:
        os.environ.update(around.environment)  # where Google's libraries look for emulators
        measured = list(run(plan, list(present(systems, around)), around, out / "run"))
        delivery = delivery_ms(DELIVERIES) if "emulator" in around.roots else []
    if not measured:
        raise NotReady("nothing was measured")
    lines = [*table(measured), "", *LEGEND]
    if delivery:
        p50, p95 = percentile(delivery, 50), percentile(delivery, 95)
        lines.append(f"The Pub/Sub emulator: {p50:.0f} ms from publish to delivery, p95 {p95:.0f}.")
    lines += [
        f"{each.system} answered {each.busy} times with 503 in round {each.round}, {each.scenario}."
        for each in measured
        if each.busy
    ]
    for name in ("load", "gemini"):
        most = max(each.cores[name] for each in measured)
        lines.append(f"Of a core, {name} used at most {100 * most:.0f} %.")
    found = {
        "machine": on,
        "plan": asdict(plan),
        "delivery_ms": delivery,
        "measured": [asdict(each) for each in measured],
    }
    (out / "bench.json").write_text(json.dumps(found))
    (out / "bench.md").write_text("\n".join(lines) + "\n")
    plot(measured, out)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, two minutes")
    parser.add_argument("--only", default="", help="systems whose name has this part")
    parser.add_argument(
        "--out", type=Path, default=Path(".data/bench"), help="folder (.data/bench)"
    )
    options = parser.parse_args()
    plan = QUICK if options.quick else FULL
    systems = [system for system in SYSTEMS if options.only in system.name]
    # So that everything that was started is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        print("\n".join(report(plan, systems, options.out.resolve())))
    except NotReady as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
