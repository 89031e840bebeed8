"""What a measurement survives: faults of a kind each, tried many times."""
