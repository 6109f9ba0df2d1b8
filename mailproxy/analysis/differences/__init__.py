"""What differs between two sessions, a file for each kind of thing that can."""
