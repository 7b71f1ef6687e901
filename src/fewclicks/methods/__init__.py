"""Methods: from clicks to a mask."""
