"""Takes a verdict, gives terminal, Markdown, CSV and figures."""
