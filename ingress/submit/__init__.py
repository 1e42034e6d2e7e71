"""Accept and cancel activations, within limits; wait for their end."""
