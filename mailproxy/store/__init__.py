"""Floor 3: the only room with SQL."""
