"""One delivery from claim to write-back; dead letters; the sweep."""
