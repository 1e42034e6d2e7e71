"""`python -m local`: the whole pipeline on this machine (`make run`, `make emulators`)."""

import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.run.options import Options

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """The exit code: 0 after Ctrl-C, 2 for bad options or settings, 1 when a part failed."""
    for number in SIGNALS:
        signal.signal(number, _leave)
    _print_what_the_terminal_can_show()
    try:
        return _start()
    except KeyboardInterrupt:
        return 0


def _leave(_number: int, _frame: object) -> None:
    """End at once: nothing is started yet.

    No KeyboardInterrupt here: within an import it ends in the traceback of whoever imports, and
    pydantic's Rust part panics when datetime fails to import.
    """
    os._exit(0)


def _start() -> int:
    # Imported here: they take most of a second, in which Ctrl-C must not end in a traceback.
    from local.run.options import parse_options
    from local.run.processes import NotReady
    from shared.errors import SettingsError, StoreUnavailable

    try:
        _run(parse_options())
    except SettingsError as error:
        print(f"can't start: {error}", file=sys.stderr)
        return 2
    except (NotReady, StoreUnavailable) as error:
        print(f"can't start: {error}", file=sys.stderr)
        return 1
    return 0


def _run(options: "Options") -> None:
    from local.run.data_folder import one_run_in
    from local.run.options import local_settings
    from local.run.ports_in_use import refuse_taken
    from shared.telemetry.logs import configure_logging

    settings = local_settings()
    configure_logging(settings.log_level, json=settings.logs_json)
    refuse_taken(options.port, "ingress", "--port")
    refuse_taken(options.worker_port, "worker", "--worker-port")
    with one_run_in(options.data_dir):
        if options.emulators:
            _run_on_emulators(options)
        else:
            from local.run.embedded import embedded

            embedded(options, settings).run()


def _run_on_emulators(options: "Options") -> None:
    from local.run.emulated import emulated, start_emulators  # Google's libraries, 1 s to import
    from local.run.processes import stop_all

    for number in SIGNALS:  # from here on there is something to clean up
        signal.signal(number, signal.default_int_handler)
    emulators = start_emulators(options)
    try:
        emulated(options, emulators).run()
    finally:
        stop_all(emulators, grace_seconds=5)


def _print_what_the_terminal_can_show() -> None:
    """The banner has Swedish letters; in a C locale they become question marks, no traceback."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # they are TextIOWrappers


if __name__ == "__main__":
    sys.exit(main())
