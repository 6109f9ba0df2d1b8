"""Floor 3: what a session's failure means, whose it is, and what to do."""
