"""Proposals: regions of every size found without labels, and the store that keeps them."""
