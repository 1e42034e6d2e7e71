"""Store and queue in one SQLite file, and the dispatcher that pushes from it."""
