"""How long `GET /livez` takes while crowds of slow clients hold their connections to a server.

    python -m bench.slow_clients PORT PID CROWD

CROWD is a name in tests/support/slow_clients.py. PID is the process that answers; its memory and
its CPU time are read from /proc.
"""

import http.client
import sys
import time

from bench.compare.processes import cpu_seconds, memory
from tests.support.slow_clients import CROWDS, held

LOOKS = 3
SETTLE_SECONDS = 3.0
"""In which what is sent ahead is answered, until a server holds what it holds."""
LONGEST_SECONDS = 12.0
REQUESTS = 2000


def main() -> None:
    port, pid, name = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    print(f"CPU ms per livez {cpu_of_livez(port, pid):.2f}, RSS {memory(pid):.0f} MiB")
    with held(port, CROWDS[name]):
        first = seconds_of_livez(port)
        time.sleep(SETTLE_SECONDS)
        longest = max(first, *(seconds_of_livez(port) for _ in range(LOOKS)))
        print(f"{name}: {longest:.3f} s, RSS {memory(pid):.0f} MiB")


def seconds_of_livez(port: int) -> float:
    """Of one request on a connection of its own; LONGEST_SECONDS when there was no answer."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_SECONDS)
    try:
        connection.request("GET", "/livez")
        assert connection.getresponse().status == 200
    except OSError:
        return LONGEST_SECONDS
    finally:
        connection.close()
    return time.perf_counter() - began


def cpu_of_livez(port: int, pid: int) -> float:
    """Milliseconds, over requests on one connection that is kept."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_SECONDS)
    before = cpu_seconds(pid)
    for _ in range(REQUESTS):
        connection.request("GET", "/livez")
        connection.getresponse().read()
    connection.close()
    return (cpu_seconds(pid) - before) / REQUESTS * 1000


if __name__ == "__main__":
    main()
