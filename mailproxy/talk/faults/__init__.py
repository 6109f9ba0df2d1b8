"""Faults on wish: what happens once in twenty times, whenever it is wanted. `FAULTS` lists the kinds."""

from mailproxy.talk.faults.answer import ANSWER
from mailproxy.talk.faults.ending import CLOSE, RESET
from mailproxy.talk.faults.fault import Kind

FAULTS: tuple[Kind, ...] = (ANSWER, CLOSE, RESET)
