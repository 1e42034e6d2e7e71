"""`python local/run/leash.py PARENT COMMAND …`: become COMMAND, and end when the parent dies.

So that even a supervisor that is killed leaves nothing behind, where the kernel can do that
(Linux). A program of its own instead of `preexec_fn`: that would fork a process in which gRPC has
threads, and gRPC aborts the child.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == parent:  # else it has died already, too early for the signal
        os.execvp(command[0], command)  # noqa: S606 - our own command, no shell


if __name__ == "__main__":
    main()
