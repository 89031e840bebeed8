"""Takes a target's recipe, gives its system, compiler and hosts in the user's cache: packages, never installed."""
