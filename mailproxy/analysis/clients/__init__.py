"""What mail programs make of what their servers say: who they are, what they show, what belongs to one click."""
