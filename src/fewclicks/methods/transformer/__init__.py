"""Click networks: a transformer sees the picture and the clicks together."""
