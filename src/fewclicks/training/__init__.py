"""Training: losses, simulated clicks, augmentation, the loop and its checkpoints."""
