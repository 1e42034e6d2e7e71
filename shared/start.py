"""How every process of ours starts: settings, checks, logs and telemetry; and its exit code."""

import logging
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from shared.drain import Drain
from shared.errors import SettingsError, StoreUnavailable
from shared.settings import Settings, read_settings
from shared.telemetry.configure import configure_telemetry
from shared.telemetry.logs import configure_logging
from shared.telemetry.provider import ServiceName


def begin(name: ServiceName, check: Callable[[Settings], None]) -> tuple[Settings, Drain]:
    """The settings, after `check`, and a drain that exports what is left of the telemetry.

    Raises SettingsError.
    """
    settings = read_settings()
    check(settings)
    configure_logging(
        settings.log_level, json=settings.logs_json, project=settings.google_cloud_project
    )
    return settings, Drain(export_rest=configure_telemetry(settings, name).end)


def run(main: Callable[[], int]) -> NoReturn:
    """Run `main`, which returns the exit code, and end the process with it.

    A SettingsError is one line on stderr and the exit code 2; a store that is away, 1.
    """
    try:
        code = main()
    except SettingsError as error:
        print(f"can't start: {error}", file=sys.stderr)
        code = 2
    except StoreUnavailable as error:
        print(f"can't start: {error}", file=sys.stderr)
        code = 1
    logging.shutdown()
    # os._exit would lose what a pipe or a file has not been given yet.
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: it would wait for the threads that are still in a call to Gemini.
    os._exit(code)
