"""The two services as child processes."""

import sys

from local.run.options import Options
from local.run.ports_in_use import LOOPBACK
from local.run.processes import Child


def services(options: Options, *arguments: str) -> list[Child]:
    """`arguments` of local/apps.py: none for the production ones."""
    ports = {"ingress": options.port, "worker": options.worker_port}
    return [
        Child(
            name=name,
            argv=[sys.executable, "-m", "local.apps", name, *arguments],
            env={"PORT": str(port)},
        )
        for name, port in ports.items()
    ]


def ready_urls(options: Options) -> list[str]:
    return [f"http://{LOOPBACK}:{port}/readyz" for port in (options.port, options.worker_port)]


def worker_url(options: Options, path: str) -> str:
    return f"http://{LOOPBACK}:{options.worker_port}{path}"
