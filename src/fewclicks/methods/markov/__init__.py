"""Methods that let a random walk spread from the click."""
