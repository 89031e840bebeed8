"""What the bytes of an ELF file, an archive or DWARF say: pure functions."""
