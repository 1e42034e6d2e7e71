"""How both services are served: one process, threads that wait for I/O."""

import sys
from typing import Any

from shared.errors import SettingsError
from shared.settings import check_ingress, check_worker, read_settings

CHECKS = {"ingress.main": check_ingress, "worker.main": check_worker}


def _stop(error: SettingsError) -> None:
    print(f"can't start: {error}", file=sys.stderr)
    raise SystemExit(2)


try:
    settings = read_settings()
except SettingsError as error:
    _stop(error)

bind = f"0.0.0.0:{settings.port}"
worker_class = "gthread"
threads = settings.web_threads
preload_app = False  # gRPC channels are opened in app(), and do not survive a fork
timeout = 120  # a gthread process beats while its threads wait; this is for one that hangs
graceful_timeout = 9  # Cloud Run kills 10 s after SIGTERM
keepalive = 75  # above the 60 s for which Google's front end keeps idle connections
loglevel = "warning"
control_socket_disable = True


def on_starting(server: Any) -> None:
    """A bad setting stops the start here, in the master, with one line."""
    module = str(server.app.app_uri).partition(":")[0]
    try:
        CHECKS.get(module, lambda _: None)(settings)
    except SettingsError as error:
        _stop(error)
