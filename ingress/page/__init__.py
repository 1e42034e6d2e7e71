"""The page at /app/: plain ES modules, and the routes that serve them."""
