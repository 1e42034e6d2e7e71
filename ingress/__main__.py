"""`python -m ingress`: the ingress in production."""

from ingress.main import main
from shared.start import run

if __name__ == "__main__":
    run(main)
