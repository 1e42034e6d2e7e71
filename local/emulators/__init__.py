"""Google's official emulators: find, start, subscribe."""
