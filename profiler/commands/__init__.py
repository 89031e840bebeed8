"""One short file per subcommand."""
