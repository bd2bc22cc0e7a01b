"""What a sentence for an operator may hold: names and subjects come from peers, and a terminal obeys what it is sent."""


def printable(text: str) -> str:
    """A text on one line that moves no cursor: what is not printable (line ends, too) is escaped as in Python.

    Args:
        text: any, such as a certificate's subject that a CA's customer has chosen.
    """
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
