"""`python -m local.emulators.timer`: periodic work in docker-compose, in place of Cloud Scheduler.

Calls the worker's sweep, and subscribes again after the Pub/Sub emulator was restarted.
"""

import argparse
import signal
import sys
import threading

from local.emulators.subscriptions import Subscriptions, keeping_subscribed
from local.periodic import sweeping
from shared.errors import SettingsError
from shared.settings import read_settings
from shared.telemetry.logs import configure_logging


def main(arguments: list[str] | None = None) -> int:
    """Until SIGTERM or SIGINT. The exit code: 2 for a bad setting."""
    parser = argparse.ArgumentParser(prog="python -m local.emulators.timer")
    parser.add_argument("--worker-url", required=True, help="as we and Pub/Sub reach the worker")
    worker_url = parser.parse_args(arguments).worker_url
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        settings = read_settings()
    except SettingsError as error:
        print(f"can't start: {error}", file=sys.stderr)
        return 2
    configure_logging(settings.log_level, json=settings.logs_json)
    subscriptions = Subscriptions(settings)
    sweeping(worker_url).start()
    keeping_subscribed(subscriptions, worker_url).start()
    stopping.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
