"""Pictures: reading, resizing, masks and how they look to a person."""
