"""Floor 6: commands, one file each: render and ask, decide nothing."""
