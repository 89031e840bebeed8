"""Build the missing combinations of a target's libpython: source, recipe, training, builds, and the remedy."""
