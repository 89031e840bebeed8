"""Takes counts by machine instruction and the files they are of, gives each one's opcode, function, line and kind."""
