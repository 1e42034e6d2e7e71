"""Flask, Celery and Redis: `python -m bench.peers.with_celery PORT`, and the worker
`python -m celery --app bench.peers.with_celery worker --pool threads --concurrency 64`."""

import sys
from functools import cache

from celery import Celery

from bench.peers.common import Gemini, serve_on_loopback
from bench.peers.results import URL, Results, create_app

app = Celery("bench", broker=URL, broker_connection_retry_on_startup=True, task_ignore_result=True)
gemini = cache(Gemini)
results = cache(Results)


def answer(activation_id: str, mood: int, goal: str) -> None:
    results().complete(activation_id, gemini().step(mood, goal))


task = app.task(answer, name="answer")

if __name__ == "__main__":
    serve_on_loopback(create_app(task.delay), int(sys.argv[1]))
