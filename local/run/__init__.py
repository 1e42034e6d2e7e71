"""Start the parts on this machine, keep them up, stop them all."""
