"""Faults on wish: what happens once in twenty times, whenever it is wanted. `FAULTS` lists the kinds."""

from mailproxy.talk.faults.add import ADD
from mailproxy.talk.faults.answer import ANSWER
from mailproxy.talk.faults.bare_lf import BARE_LF
from mailproxy.talk.faults.behind import BEHIND
from mailproxy.talk.faults.client_tls import ALERT, EXPIRED, WRONG_NAME
from mailproxy.talk.faults.code_only import CODE_ONLY
from mailproxy.talk.faults.delay import DELAY
from mailproxy.talk.faults.drop import DROP, DROP_REPLY
from mailproxy.talk.faults.ending import CLOSE, RESET
from mailproxy.talk.faults.fault import Kind
from mailproxy.talk.faults.hide import HIDE
from mailproxy.talk.faults.last_lf import NO_LAST_LF
from mailproxy.talk.faults.multi_line import BROKEN_MULTI_LINE
from mailproxy.talk.faults.no_tls import REFUSE_TLS, STRIP_TLS
from mailproxy.talk.faults.slices import SLICE
from mailproxy.talk.faults.throttle import THROTTLE
from mailproxy.talk.faults.unstuffed import UNSTUFFED_DOT
from mailproxy.talk.faults.wrong_count import WRONG_COUNT

FAULTS: tuple[Kind, ...] = (
    ANSWER, DROP, DROP_REPLY, DELAY, THROTTLE, SLICE, CLOSE, RESET,
    NO_LAST_LF, BEHIND, UNSTUFFED_DOT, WRONG_COUNT, BARE_LF, CODE_ONLY, BROKEN_MULTI_LINE, HIDE, ADD,
    REFUSE_TLS, STRIP_TLS, ALERT, EXPIRED, WRONG_NAME,
)  # fmt: skip
