"""The measurements as pictures: latency, throughput and CPU time, in SVG."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.compare.figures import SERVICES, services
from bench.compare.measure import Measured, crowd
from bench.compare.systems import SLOTS

STYLE = {"svg.fonttype": "none", "svg.hashsalt": "bench", "font.size": 9}
"""Text as text: a file a tenth as large."""


def plot(measured: Sequence[Measured], folder: Path) -> None:
    with mpl.rc_context(STYLE):
        for name, drawn in (
            ("latency", latency(measured)),
            ("throughput", throughput(measured)),
            ("cpu", cpu(measured)),
        ):
            drawn.savefig(folder / f"{name}.svg", metadata={"Date": None})


def latency(measured: Sequence[Measured]) -> Figure:
    """How many of the activations were that far after so many milliseconds, at 5/s."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    to_gemini, overhead = figure.subplots(1, 2, sharey=True)
    for name in systems(measured):
        steady = [each for each in measured if (each.system, each.scenario) == (name, "steady")]
        for axes, values in (
            (to_gemini, [ms for each in steady for ms in each.to_gemini]),
            (overhead, [ms for each in steady for ms in each.overhead]),
        ):
            share = [100 * (index + 1) / len(values) for index in range(len(values))]
            axes.plot(sorted(values), share, label=name)
    to_gemini.set(xlabel="ms from POST until Gemini is asked", ylabel="% of activations")
    overhead.set(xlabel="ms until the client knows, without Gemini's 200 (polls each 50 ms)")
    for axes in (to_gemini, overhead):
        axes.set_xscale("log")
        axes.grid(alpha=0.3)
    figure.legend(*overhead.get_legend_handles_labels(), loc="outside right")
    return figure


def throughput(measured: Sequence[Measured]) -> Figure:
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    crowds = [
        clients
        for clients in range(1, SLOTS + 1)
        if any(each.scenario == crowd(clients) for each in measured)
    ]
    for name in systems(measured):
        medians = [
            median(
                each.per_second
                for each in measured
                if (each.system, each.scenario) == (name, crowd(clients))
            )
            for clients in crowds
        ]
        axes.plot(crowds, medians, marker="o", label=name)
    axes.set(xscale="log", yscale="log", ylabel="activations a second")
    axes.set_xlabel("clients at once, Gemini 0 ms")
    axes.set_xticks(crowds, [str(clients) for clients in crowds], minor=False)
    axes.set_xticks([], minor=True)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right")
    return figure


def cpu(measured: Sequence[Measured]) -> Figure:
    """By process, stacked."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    shown = {crowd(SLOTS): f"{SLOTS} at once, Gemini 0 ms", "steady": "5/s, Gemini 200 ms"}
    for axes, scenario in zip(figure.subplots(1, 2, sharey=True), shown, strict=True):
        rounds = [each for each in measured if each.scenario == scenario and services(each.cpu)]
        names = systems(rounds)[::-1]  # a bar chart begins at the bottom
        left = [0.0] * len(names)
        for process in SERVICES:
            widths = [
                median(each.cpu.get(process, 0.0) for each in rounds if each.system == name)
                for name in names
            ]
            axes.barh(names, widths, left=left, label=process)
            left = [start + width for start, width in zip(left, widths, strict=True)]
        axes.set(title=shown[scenario], xlabel="CPU seconds per 1,000 activations")
    axes.legend()
    return figure


def systems(measured: Sequence[Measured]) -> list[str]:
    return list(dict.fromkeys(each.system for each in measured))
