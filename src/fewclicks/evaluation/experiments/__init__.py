"""Experiments: rows of a table, named in a file, measured one after another."""
