"""Players: a recorded client speaks again, a recorded server answers again."""
