"""Floor 1: octet machines that know no protocol."""
