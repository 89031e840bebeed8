"""Takes a path, gives a target, its launchers and their hosts (built with cargo)."""
