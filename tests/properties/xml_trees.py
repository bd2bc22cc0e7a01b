"""Random XML for the property tests: names, namespaces and text that canonical form can stumble over."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

settings.register_profile(
    "wsprovider",
    deadline=None,
    max_examples=60,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("wsprovider")

URIS = ("urn:a", "urn:b", "urn:wsprovider:echo", "http://schemas.xmlsoap.org/soap/envelope/")
PREFIXES = ("", "a", "b", "soap", "ds", "wsu", "e")
NAMES = ("x", "y", "Body", "значение", "a-b.c_d")
TEXT = st.text(
    st.characters(
        codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co"), include_characters="\t\n\r&<>\"']"
    ),
    max_size=12,
)


def escape(text: str) -> str:
    table = {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "\r": "&#13;",
        "\n": "&#10;",
        "\t": "&#9;",
    }
    return "".join(table.get(letter, letter) for letter in text)


@st.composite
def elements(draw: st.DrawFn, scope: tuple[tuple[str, str], ...] = (), depth: int = 3) -> str:
    """An element, well formed in the scope of prefixes around it."""
    known = dict(scope)
    declared: dict[str, str] = {}
    for prefix in draw(st.lists(st.sampled_from(PREFIXES), max_size=3, unique=True)):
        uris = URIS if prefix else (*URIS, "")
        declared[prefix] = draw(st.sampled_from(uris))
    known.update(declared)
    usable = sorted(prefix for prefix in known if prefix == "" or known[prefix])
    prefix = draw(st.sampled_from([*usable, ""]))
    name = draw(st.sampled_from(NAMES))
    tag = f"{prefix}:{name}" if prefix else name
    attributes: dict[tuple[str, str], str] = {}
    for _ in range(draw(st.integers(0, 2))):
        owner = draw(st.sampled_from(["", *(p for p in usable if p)]))
        local = draw(st.sampled_from(NAMES[:2]))
        attributes.setdefault((known[owner] if owner else "", local), f"{owner}:{local}" if owner else local)
    written = "".join(f' {spelled}="{escape(draw(TEXT))}"' for spelled in attributes.values())
    spaces = "".join(f' xmlns{":" if p else ""}{p}="{uri}"' for p, uri in declared.items())
    inner = escape(draw(TEXT))
    if depth:
        for _ in range(draw(st.integers(0, 2))):
            inner += draw(elements(tuple(known.items()), depth - 1)) + escape(draw(TEXT))
        if draw(st.integers(0, 5)) == 0:
            inner += "<!-- c --><![CDATA[<&>]]>"
    return f"<{tag}{spaces}{written}>{inner}</{tag}>"


PREFIX_LISTS = st.lists(
    st.sampled_from(("#default", "a", "b", "soap", "e", "never")), max_size=4, unique=True
)
