"""Look at a port before a server is started on it, to say in one line that it is taken."""

import errno
import socket

from shared.errors import SettingsError

LOOPBACK = "127.0.0.1"


def refuse_taken(port: int, what: str, option: str) -> None:
    """Raises SettingsError when nothing can be started on this port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            why = "is in use" if error.errno == errno.EADDRINUSE else str(error.strerror)
            raise SettingsError(
                f"port {port} for the {what} {why}: expected a free port, choose one with {option}"
            ) from None
