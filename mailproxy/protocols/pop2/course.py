"""The course of a session of POP2: what is volatile in it, what its commands are about."""

from typing import Final

from mailproxy.protocols.course import Course

COURSE: Final = Course()
