"""`python -m tests.fake_gemini`: a Gemini to play with, for people."""

import argparse
import threading

from tests.fake_gemini import FakeGemini, answer, late


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fake_gemini")
    parser.add_argument("--port", type=int, default=9090)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    options = parser.parse_args()
    with FakeGemini(options.port, late(options.latency, answer())) as gemini:
        print(f"fake Gemini at {gemini.url}; Ctrl-C stops it", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print(f"{len(gemini.calls)} calls", flush=True)


if __name__ == "__main__":
    main()
