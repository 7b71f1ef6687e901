"""What the method families share: min cut, geodesic distance, colour models, superpixels."""
