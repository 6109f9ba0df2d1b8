"""Floor 5: use cases, one file each; the only floor that binds rooms together."""
