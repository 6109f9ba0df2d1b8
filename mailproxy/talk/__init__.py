"""Floor 3: sans-IO parties of a conversation: events in, actions out."""
