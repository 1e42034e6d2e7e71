"""Consumes pushes: claim, generate, write back; dead letters; sweep."""
