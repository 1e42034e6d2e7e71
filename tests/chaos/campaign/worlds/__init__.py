"""The running system on each backend."""
