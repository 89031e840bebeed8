"""Takes profile.csv and symbols.csv, gives what each opcode and each place costs, and adds up to the comparison."""
