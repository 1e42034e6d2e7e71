"""The load runs as a picture: how many of the answers had come after how long."""

from pathlib import Path

from matplotlib.figure import Figure

from bench.load import Run


def plot(runs: list[Run], file: Path) -> None:
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    submits, answers = figure.subplots(1, 2)
    for run in runs:
        share = [100 * (index + 1) / len(run.submits) for index in range(len(run.submits))]
        submits.plot([s * 1000 for s in sorted(run.submits)], share, label=run.backend)
        answers.plot(sorted(run.answers), share, label=run.backend)
    submits.set(xlabel="ms until accepted", ylabel="% of activations", xscale="log")
    answers.set(xlabel="s until answered")
    for axes in (submits, answers):
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(file)
