"""The course of a session of SMTP: what is volatile in it, what its commands are about."""

from typing import Final

from mailproxy.protocols.course import Course

COURSE: Final = Course()
