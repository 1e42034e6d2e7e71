"""What ingress and worker must agree on. Imports neither of them."""
