"""What people would pick instead, one small file each, with the routes that the load asks."""
