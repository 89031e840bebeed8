"""Takes a plan and a source, gives rows.csv and run.json: the only room that measures."""
