"""Routes: one module for each thing that a page asks for."""
