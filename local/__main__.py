"""`python -m local`: the whole pipeline on this machine (`make run`, `make emulators`)."""

import signal
import sys

from local.options import Options, local_settings, parse_options
from local.ports_in_use import refuse_taken
from local.processes import NotReady, stop_all
from shared.errors import SettingsError
from shared.logs import configure_logging


def main() -> int:
    """The exit code: 0 after Ctrl-C, 2 for what the caller can mend, 1 when a part failed."""
    options = parse_options()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # clean up as after Ctrl-C
    try:
        run(options)
    except KeyboardInterrupt:
        return 0
    except SettingsError as error:
        print(f"can't start: {error}", file=sys.stderr)
        return 2
    except NotReady as error:
        print(f"can't start: {error}", file=sys.stderr)
        return 1
    return 0


def run(options: Options) -> None:
    settings = local_settings()
    configure_logging(settings.log_level, json=False)
    refuse_taken(options.port, "ingress", "--port")
    refuse_taken(options.worker_port, "worker", "--worker-port")
    if options.emulators:
        from local.emulated import emulated, start_emulators  # Google's libraries, 1 s to import

        emulators = start_emulators(options)
        try:
            emulated(options).run()
        finally:
            stop_all(emulators, grace_seconds=5)
    else:
        from local.embedded import embedded

        embedded(options, settings).run()


if __name__ == "__main__":
    sys.exit(main())
