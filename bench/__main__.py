"""`make bench`: measure, and write bench/report.md with its plot beside it."""

from pathlib import Path

from bench import load, publish
from bench.plot import plot

FOLDER = Path(__file__).parent


def main() -> None:
    runs = [load.run(backend) for backend in ("embedded", "emulators")]
    plot(runs, FOLDER / "report.svg")
    lines = [
        "# Load report",
        "",
        "Written by `make bench`. The machine is shared and noisy: read the ratios.",
        "",
        f"## {load.ACTIVATIONS} activations, {load.AT_ONCE} users at once, a Gemini that takes "
        f"{load.GEMINI_SECONDS:g} s",
        "",
        *load.table(runs),
        "",
        "Google's Pub/Sub emulator pushes two messages at a time, whatever the worker could take.",
        "",
        "![share of activations accepted and answered over time](report.svg)",
        "",
        f"## Publishing: the plain RPC and the batching client, {publish.MESSAGES} messages",
        "",
        *publish.report(),
        "",
    ]
    text = "\n".join(lines)
    (FOLDER / "report.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
