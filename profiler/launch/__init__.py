"""Interpreters, ELF and process evidence, host builds, launchers."""
