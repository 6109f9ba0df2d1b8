"""Thunderbird: its profiles, what they say of mail servers, and how to point one at mailproxy and back."""
