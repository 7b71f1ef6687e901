"""The classical baselines."""
