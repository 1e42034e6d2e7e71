"""`python -m local.emulators.set_up`: topics and push subscriptions, once (docker-compose.yml)."""

import argparse
import sys

from google.api_core.exceptions import GoogleAPIError

from local.emulators.subscriptions import Subscriptions
from shared.errors import SettingsError
from shared.settings import read_settings


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 also when they were there, 1 when Pub/Sub refused, 2 for a bad setting."""
    parser = argparse.ArgumentParser(prog="python -m local.emulators.set_up")
    parser.add_argument("--worker-url", required=True, help="as Pub/Sub reaches the worker")
    worker_url = parser.parse_args(arguments).worker_url
    try:
        subscriptions = Subscriptions(read_settings())
        subscriptions.push_to(worker_url)
    except SettingsError as error:
        print(f"can't start: {error}", file=sys.stderr)
        return 2
    except GoogleAPIError as error:
        print(f"Pub/Sub refused our subscriptions: {error}", file=sys.stderr)
        return 1
    print(f"{subscriptions.requests} is pushed to {worker_url}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
