"""Sample, and one loader for each data set."""
