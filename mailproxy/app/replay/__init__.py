"""Replay: a recorded client speaks again, or a recorded server answers again."""
