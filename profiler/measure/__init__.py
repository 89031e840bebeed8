"""Counting: sources, schedule, collection."""
