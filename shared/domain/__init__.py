"""Pure values: no I/O, no clock, and nothing of ours imported but errors."""
