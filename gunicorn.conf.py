"""How both services are served: one process, threads that wait for I/O."""

import sys
from resource import RLIMIT_NOFILE, getrlimit
from typing import Any

from shared.errors import SettingsError
from shared.settings import read_settings
from shared.start_checks import check_ingress, check_worker

CHECKS = {"ingress.main": check_ingress, "worker.main": check_worker}


def _stop(error: SettingsError) -> None:
    print(f"can't start: {error}", file=sys.stderr)
    raise SystemExit(2)


try:
    settings = read_settings()
except SettingsError as error:
    _stop(error)

bind = f"0.0.0.0:{settings.port}"
worker_class = "shared.http.gunicorn_worker.Worker"
threads = settings.web_threads
# Open connections cost a file each and no thread, so that a crowd that only holds some, or polls
# over ones that are kept, shuts nobody out. What remains is for the store, the queue and logs.
worker_connections = max(threads + 64, min(4096, getrlimit(RLIMIT_NOFILE)[0] - 256))
preload_app = False  # gRPC channels are opened in app(), and do not survive a fork
timeout = 120  # a gthread process beats while its threads wait; this is for one that hangs
graceful_timeout = 9  # Cloud Run kills 10 s after SIGTERM
keepalive = 75  # above the 60 s for which Google's front end keeps idle connections
limit_request_line = 4096  # bytes; an ID token, the longest header that we read, is 1 to 2 KB
limit_request_fields = 64
limit_request_field_size = 8190
loglevel = "warning"
control_socket_disable = True


def on_starting(server: Any) -> None:
    """A bad setting stops the start here, in the master, with one line."""
    module = str(server.app.app_uri).partition(":")[0]
    try:
        CHECKS.get(module, lambda _: None)(settings)
    except SettingsError as error:
        _stop(error)
