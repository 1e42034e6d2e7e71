"""`python -m worker`: the worker in production."""

from shared.start import run
from worker.main import main

if __name__ == "__main__":
    run(main)
