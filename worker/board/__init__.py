"""The operator's view: figures, alerts and the page."""
