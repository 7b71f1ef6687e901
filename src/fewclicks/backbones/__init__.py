"""Frozen looks at a picture: tokens, their attention, depth."""
