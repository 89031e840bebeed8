"""Rendering of results; only the command line prints."""
