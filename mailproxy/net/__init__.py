"""Floor 4: the only room with sockets."""
