"""What a spoiler tells of what it does. Of what peers said it repeats verbs and codes, nothing else."""

from mailproxy.model.escape import escape
from mailproxy.talk.faults.fault import Fault, Sort, Unit


def answered(verb: str, number: int, reply: bytes, content: bool) -> str:
    """A command that the server was not asked, or the message behind it."""
    what = f"message of {verb} {number}" if content else f"{verb} {number}"
    return f"{what} answered {_shown(reply)} by mailproxy, the server was not asked"


def dropped(verb: str, number: int) -> str:
    """A command that went nowhere."""
    return f"{verb} {number} dropped by mailproxy, the server was not asked"


def spoiled(fault: Fault, unit: Unit, reply: bytes | None, code: str) -> str:
    """A unit that was changed, or in whose place a `reply` stands; `code` is what the server had said."""
    if reply is not None and fault.what.says == "":
        said = f", the server had said {code}" if code else ""
        return f"{_named(unit)} answered {_shown(reply)} by mailproxy{said}"
    return f"{fault.what.says} in {_named(unit)}"


def _named(unit: Unit) -> str:
    match unit.sort:
        case Sort.GREETING:
            return "the greeting"
        case Sort.MESSAGE:
            return f"message {unit.message}"
        case _ if unit.to_message:
            return f"the reply to message {unit.message}"
        case _ if unit.number and unit.verb:
            return f"the reply to {unit.verb} {unit.number}"
        case _:
            return "a reply"


def _shown(reply: bytes) -> str:
    return "\\n".join(escape(line) for line in reply.removesuffix(b"\r\n").split(b"\r\n"))
