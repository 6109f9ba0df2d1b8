"""The README and what is generated of it: `python -m tests.readme --write` makes the generated parts anew.

A generated part stands between `<!-- name -->` and `<!-- /name -->`, each on a line of its own.
"""

import argparse
import re
import sys
from pathlib import Path
from typing import Final

from tests.readme_parts import PARTS

README: Final = Path(__file__).parent.parent / "README.md"


def text() -> str:
    """The README as it is."""
    return README.read_text(encoding="utf-8")


def part(readme: str, name: str) -> str:
    """What stands between the markers of a part. Raises LookupError where they are missing."""
    return _marked(readme, name)[1].strip("\n")


def current(readme: str) -> str:
    """The README with its parts made anew. Raises LookupError where the markers of one are missing."""
    for name, make in PARTS.items():
        found = _marked(readme, name)
        readme = f"{readme[: found.start(1)]}\n{make()}\n\n{readme[found.end(1) :]}"
    return readme


def blocks(readme: str, language: str) -> list[str]:
    """The code blocks of a language, without their fences."""
    return re.findall(rf"^```{language}\n(.*?)^```$", readme, re.M | re.S)


def _marked(readme: str, name: str) -> re.Match[str]:
    found = re.search(rf"^<!-- {name} -->\n(.*?)^<!-- /{name} -->$", readme, re.M | re.S)
    if not found:
        raise LookupError(f"README.md has no <!-- {name} --> … <!-- /{name} -->")
    return found


def main() -> None:
    """Write the README anew, or say whether it is current."""
    parser = argparse.ArgumentParser("python -m tests.readme", description="The generated parts of README.md.")
    parser.add_argument("--write", action="store_true", help="make them anew; else only say whether they are current")
    readme = text()
    made = current(readme)
    if parser.parse_args().write:
        README.write_text(made, encoding="utf-8", newline="\n")
    elif made != readme:
        sys.exit("README.md is not current: python -m tests.readme --write")


if __name__ == "__main__":
    main()
