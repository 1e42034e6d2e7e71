"""The first backend's design: Gemini inside the request, and nothing stored.

python -m bench.peers.synchronous PORT
"""

import sys

from flask import Flask, Response, request

from bench.peers.common import SLOTS, Gemini, serve_on_loopback


def create_app() -> Flask:
    app = Flask(__name__)
    gemini = Gemini()

    def get_activation() -> Response:
        asked = request.get_json()
        step = gemini.step(int(asked["mood"]), str(asked["goal"]))
        return Response(step, mimetype="application/json")

    app.post("/gemini/getActivation")(get_activation)
    return app


if __name__ == "__main__":
    serve_on_loopback(create_app(), int(sys.argv[1]), threads=SLOTS)
