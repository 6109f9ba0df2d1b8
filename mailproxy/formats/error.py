"""What is raised for a file that is not what its format says."""


class FormatError(ValueError):
    """One line: `FILE:WHERE: what is wrong, what to write instead`."""
