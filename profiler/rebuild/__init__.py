"""Takes a target's source and a factorial plan, gives programs and libraries built in other ways."""
