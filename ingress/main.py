"""The production composition root of the ingress, which `python -m ingress` starts.

Always Firestore and Pub/Sub, against the emulators where their variables are set.
"""

from ingress.app import create_app
from shared.google.adapters import google_adapters
from shared.http.server import EVERYWHERE, serve
from shared.start import begin
from shared.start_checks import check_ingress


def main(host: str = EVERYWHERE) -> int:
    """Serve until SIGTERM. The exit code. Raises SettingsError."""
    settings, drain = begin("innerjourney-ingress", check_ingress)
    app = create_app(settings, *google_adapters(settings), drain=drain)
    return serve(app, settings, drain, host)
