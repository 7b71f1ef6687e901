"""Migrations of the annotation database, by Alembic."""
