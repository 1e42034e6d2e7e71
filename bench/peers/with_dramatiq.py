"""Flask, dramatiq and Redis: `python -m bench.peers.with_dramatiq PORT`, and the worker
`python -m dramatiq bench.peers.with_dramatiq --processes 1 --threads 64`."""

import sys
from functools import cache

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.peers.common import Gemini, serve_on_loopback
from bench.peers.results import URL, Results, create_app

dramatiq.set_broker(RedisBroker(url=URL))
gemini = cache(Gemini)  # after dramatiq has forked
results = cache(Results)


def answer(activation_id: str, mood: int, goal: str) -> None:
    results().complete(activation_id, gemini().step(mood, goal))


# Not __main__, which is what this file is called as a web server.
actor = dramatiq.actor(answer, actor_name="answer")

if __name__ == "__main__":
    serve_on_loopback(create_app(actor.send), int(sys.argv[1]))
