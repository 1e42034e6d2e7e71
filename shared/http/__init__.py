"""What both HTTP services have in common."""
