"""Logs, traces and metrics, and where they go."""
