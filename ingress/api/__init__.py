"""Routes of the public API: parse a request, call, map the result."""
