"""Floor 3: one file a format: recognise, read, write."""
