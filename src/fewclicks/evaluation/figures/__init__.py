"""Figures: drawn once, written as files, or set into a page that is light or dark."""
