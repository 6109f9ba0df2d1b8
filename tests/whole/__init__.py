"""Runs against real servers and real clients: each once directly and once through the proxy."""
