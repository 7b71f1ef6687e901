"""The click protocol: simulated users, scores, runs, reports."""
