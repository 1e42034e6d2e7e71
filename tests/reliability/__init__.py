"""docs/reliability.md: the fault catalogue with its tests' last results, and the chaos ledgers."""
