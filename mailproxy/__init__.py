"""A recording proxy between mail programs and mail servers."""
