"""Marionette, by which a program of Mozilla's is told what to do: JSON over TCP, each piece after its length."""

import json
import socket
from typing import Any, Final, Self

from .loopback import Address

LIMIT: Final = 30.0  # seconds after which the program is held to be stuck

NO_ALERT: Final = "no such alert"
ALERT_OPEN: Final = "unexpected alert open"


class Refusal(Exception):
    """The program did not do what it was told. `error` is WebDriver's word for why."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(f"{error}: {message}")
        self.error = error


class Marionette:
    """One connection, and the session on it. Raises OSError where nobody listens or the program goes away."""

    def __init__(self, address: Address) -> None:
        self._socket = socket.create_connection(address, LIMIT)
        self._stream = self._socket.makefile("rb")
        self._number = 0
        hello = self._hear()
        assert hello["marionetteProtocol"] == 3, hello
        # A dialog is left open, so that it can be read.
        self.tell("WebDriver:NewSession", unhandledPromptBehavior="ignore")
        self.tell("Marionette:SetContext", value="chrome")

    def tell(self, command: str, **parameters: object) -> Any:
        """Have it done, and its result. Raises Refusal."""
        self._number += 1
        octets = json.dumps([0, self._number, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(octets), octets))
        _, number, error, result = self._hear()
        assert number == self._number, "the answer belongs to another command"
        if error:
            raise Refusal(error["error"], error["message"])
        return result

    def run(self, script: str, *arguments: object) -> Any:
        """The value that this JavaScript, the body of an asynchronous function, returns. It may do all. Raises Refusal.

        A script ends without a value when a dialog opens.
        """
        wrapped = (
            "const [parameters, done, failed] = arguments;"
            f"(async (...given) => {{ {script} }})(...parameters)"
            ".then(value => done([value ?? null]), error => done([null, `${error}`]));"
        )
        answer = self.tell(
            "WebDriver:ExecuteAsyncScript",
            script=wrapped,
            args=[list(arguments)],
            sandbox="system",
            scriptTimeout=int(LIMIT * 1000) - 1000,
        )
        value, *error = answer["value"] or [None]
        if error:
            raise Refusal("javascript error", error[0])
        return value

    @property
    def alert(self) -> str | None:
        """The text of the dialog that is open, or None."""
        try:
            text: str = self.tell("WebDriver:GetAlertText")["value"]
        except Refusal as refusal:
            if refusal.error == NO_ALERT:
                return None
            raise
        return text

    def close(self) -> None:
        """Leave the program to itself."""
        self._stream.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def _hear(self) -> Any:
        length = b""
        while (octet := self._stream.read(1)) != b":":
            if not octet:
                raise ConnectionError("the program has hung up")
            length += octet
        octets = self._stream.read(int(length))
        if len(octets) < int(length):
            raise ConnectionError("the program has hung up")
        return json.loads(octets)
