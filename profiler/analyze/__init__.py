"""Statistics, comparison, decomposition: pure functions of rows."""
