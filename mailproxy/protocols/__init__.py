"""Floor 2: what peers say."""
