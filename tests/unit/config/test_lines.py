from wsprovider.config.lines import key_lines

TEXT = """\
# a comment
path = "/x"

[limits]
depth = 3
[[endpoint]]
path = "/a"
"quoted key" = 1
[endpoint.limits]
depth = 4
[[endpoint]]
  path = "/b"
[ endpoint . freshness ]
life = 1
"""


def test_each_key_and_heading_has_its_line():
    assert key_lines(TEXT) == {
        ("path",): 2,
        ("limits",): 4,
        ("limits", "depth"): 5,
        ("endpoint", 1): 6,
        ("endpoint", 1, "path"): 7,
        ("endpoint", 1, "quoted key"): 8,
        ("endpoint", 1, "limits"): 9,
        ("endpoint", 1, "limits", "depth"): 10,
        ("endpoint", 2): 11,
        ("endpoint", 2, "path"): 12,
        ("endpoint", 2, "freshness"): 13,
        ("endpoint", 2, "freshness", "life"): 14,
    }
