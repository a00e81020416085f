"""A network of our own that can do all that the contract knows: `test_networks.py` was written by it."""
