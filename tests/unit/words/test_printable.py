"""What reaches a terminal of names that others have chosen."""

import pytest

from wsprovider.words.printable import printable


@pytest.mark.parametrize("text", ["a\x1b[2Jb", "a\nb", "a\rb", "\x07", "\u202e", "\udc80", "\x9b31m"])
def test_what_moves_a_cursor_is_escaped(text):
    assert printable(text).isprintable()
    assert "\\" in printable(text)


@pytest.mark.parametrize("text", ["", "CN=Grün & Söhne,O=Bank", "a\\b"])
def test_everything_else_stays(text):
    assert printable(text) == text
