"""Floor 0: values, which every other room speaks of and which import nothing."""
