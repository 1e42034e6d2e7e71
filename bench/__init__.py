"""Measurements, as ratios within one run: these figures are read, never asserted."""
