"""Takes rows.csv and run.json, gives the verdict: statistics, comparison, decomposition; reads the folder, no more."""
