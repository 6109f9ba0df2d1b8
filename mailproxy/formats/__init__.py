"""Floor 3: one file a format: recognise, read, write. `FORMATS` is the one line to add a format to."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from mailproxy.formats import (
    claws,
    curl,
    fetchmail,
    javamail,
    mailkit,
    mpop,
    msmtp,
    mutt,
    nodemailer,
    oauth2_proxy,
    pcap,
    phpmailer,
    postfix,
    python_debug,
    rawlog,
    record_json,
    s_client,
    swaks,
    talk,
    telnet,
    thunderbird,
)
from mailproxy.model.session import Recording


class Format(NamedTuple):
    """A format of recordings: how to know it, and how to read it from a text and the name of its source."""

    name: str
    recognise: Callable[[str], bool]
    read: Callable[[str, str], list[Recording]]


class OctetFormat(NamedTuple):
    """A format that is no text: how to know it by its first four octets, and how to read it from an open file and the
    name of its source, a recording at a time."""

    name: str
    recognise: Callable[[bytes], bool]
    read: Callable[[BinaryIO, str], Iterator[Recording]]


OCTET_FORMATS: tuple[OctetFormat, ...] = (OctetFormat("pcap", pcap.recognise, pcap.read),)

# The sure ones first: what telnet leaves has no marks, so whatever has some must not come so far.
FORMATS: tuple[Format, ...] = (
    Format("json", record_json.recognise, record_json.read),
    Format("talk", talk.recognise, talk.read),
    Format("nodemailer", nodemailer.recognise, nodemailer.read),
    Format("thunderbird", thunderbird.recognise, thunderbird.read),
    Format("oauth2-proxy", oauth2_proxy.recognise, oauth2_proxy.read),
    Format("javamail", javamail.recognise, javamail.read),
    Format("phpmailer", phpmailer.recognise, phpmailer.read),
    Format("python", python_debug.recognise, python_debug.read),
    Format("fetchmail", fetchmail.recognise, fetchmail.read),
    Format("swaks", swaks.recognise, swaks.read),
    Format("msmtp", msmtp.recognise, msmtp.read),
    Format("s_client", s_client.recognise, s_client.read),
    Format("claws", claws.recognise, claws.read),
    Format("mutt", mutt.recognise, mutt.read),
    Format("postfix", postfix.recognise, postfix.read),
    Format("rawlog", rawlog.recognise, rawlog.read),
    Format("curl", curl.recognise, curl.read),
    Format("mpop", mpop.recognise, mpop.read),
    Format("mailkit", mailkit.recognise, mailkit.read),
    Format("telnet", telnet.recognise, telnet.read),
)
