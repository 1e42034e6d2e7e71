"""A React frontend of somebody else, with our package installed. The tests build it."""
