"""The public HTTP API: accept a request, write it, publish it, answer."""
