"""What commands print: sentences in which names, subjects and problems may come from peers."""

import sys

from wsprovider.words.printable import printable


def say(sentence: str) -> None:
    """Print one line, in which nothing moves a terminal's cursor."""
    print(printable(sentence))


def complain(sentence: str) -> None:
    """The same on standard error."""
    print(printable(sentence), file=sys.stderr)
