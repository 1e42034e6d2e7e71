"""The two services as child processes under gunicorn."""

import sys

from local.run.options import ROOT, Options
from local.run.ports_in_use import LOOPBACK
from local.run.processes import Child


def gunicorn(name: str, app: str, port: int) -> Child:
    """As in production, but on loopback only: a local run asks nobody who they are."""
    argv = [
        *(sys.executable, "-m", "gunicorn"),
        *("--config", str(ROOT / "gunicorn.conf.py")),
        *("--pythonpath", str(ROOT)),
        *("--bind", f"{LOOPBACK}:{port}"),
        app,
    ]
    return Child(name=name, argv=argv, env={"PORT": str(port)})


def ready_urls(options: Options) -> list[str]:
    return [f"http://{LOOPBACK}:{port}/readyz" for port in (options.port, options.worker_port)]


def worker_url(options: Options, path: str) -> str:
    return f"http://{LOOPBACK}:{options.worker_port}{path}"
