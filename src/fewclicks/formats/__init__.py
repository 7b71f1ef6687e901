"""Formats: annotated pictures into the files that other tools read, and back."""
