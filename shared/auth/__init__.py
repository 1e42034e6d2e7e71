"""Bearer tokens that Google signs, and the keys to check them with."""
