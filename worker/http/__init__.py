"""The worker's HTTP: Pub/Sub's pushes and the sweep."""
