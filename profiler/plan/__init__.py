"""Takes a target and what a command asks for, gives launchers, passes and shuffled blocks."""
