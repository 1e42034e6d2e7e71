"""Everything on one machine: SQLite behind the same ports, a push dispatcher, the emulators."""
