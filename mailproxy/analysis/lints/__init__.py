"""The lints, one subject a file: they point something out, and never decide."""

from mailproxy.analysis.lint import Lint
from mailproxy.analysis.lints import contents, injected, listings, patience, secrecy, speech, time

LINTS: tuple[Lint, ...] = (
    *contents.LINTS, *speech.LINTS, *listings.LINTS, *secrecy.LINTS, *time.LINTS, *patience.LINTS,
    *injected.LINTS,
)  # fmt: skip
