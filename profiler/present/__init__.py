"""Takes a verdict, gives terminal, page, Markdown, CSV and drawings."""
