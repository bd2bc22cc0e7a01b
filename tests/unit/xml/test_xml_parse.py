"""Parsing: what is let in, and each budget at its last and one above."""

import pytest

from wsprovider.words.errors import SoapError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.xml.parse import parse


def refused(data: bytes, limits: Limits | None = None, **arguments: object) -> Reason:
    with pytest.raises(SoapError) as error:
        parse(data, limits or Limits(), **arguments)  # type: ignore[arg-type]
    return error.value.reason


DECLARED = "<?xml version='1.0' encoding='{}'?><a>ä</a>"


@pytest.mark.parametrize(
    ("data", "charset"),
    [
        ("<a>ä</a>".encode(), None),
        ("<a>ä</a>".encode(), "utf-8"),
        ("<a>ä</a>".encode(), '"UTF-8"'),
        ("\ufeff<a>ä</a>".encode(), "utf-8"),
        (DECLARED.format("UTF-8").encode(), None),
        (DECLARED.format("utf-8").encode(), "utf-8"),
        (("\ufeff" + DECLARED.format("UTF-8")).encode(), None),
        (DECLARED.format("UTF-16").encode("utf-16"), None),
        (DECLARED.format("UTF-16").encode("utf-16"), "utf-16"),
        (DECLARED.format("utf-16").encode("utf-16"), "UTF-16"),
        ("<a>ä</a>".encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + "<a>ä</a>".encode("utf-16-be"), "utf-16"),
        (b"\xfe\xff" + DECLARED.format("UTF-16").encode("utf-16-be"), None),
        (b"<?xml version='1.0' encoding='US-ASCII'?><a>&#228;</a>", None),
        (b"<!-- c --><a><!-- c -->&#xe4;<!-- c --></a><!-- c -->\n", None),
        (b"<a><![CDATA[\xc3\xa4]]></a>", None),
    ],
)
def test_encodings_that_are_let_in(data, charset):
    assert parse(data, Limits(), charset=charset).text == "ä"


@pytest.mark.parametrize(
    ("data", "charset"),
    [
        (DECLARED.format("ISO-8859-1").encode("latin-1"), None),
        (DECLARED.format("windows-1252").encode("cp1252"), None),
        (DECLARED.format("UTF-8").encode("utf-16"), None),
        ("<a>ä</a>".encode("utf-32"), None),
        ("<a/>".encode("utf-32-be"), None),
        ("<a/>".encode("utf-32-le"), None),
        (b"<a/>", "utf-16"),
        (b"<a/>", "iso-8859-1"),
        (b"<a/>", "utf-7"),
        (b"<a/>", "unicode_escape"),
        (b"<a/>", "nonsense"),
        (b"<a/>", ""),
        ("<a/>".encode("utf-16"), "utf-8"),
    ],
)
def test_encodings_that_are_not(data, charset):
    assert refused(data, charset=charset) is Reason.ENCODING


@pytest.mark.parametrize("declared", ["EBCDIC-US", "cp037", "UCS-4", "UTF-7", "HZ", "unknown"])
def test_other_encodings_are_never_let_in(declared):
    for data in (
        f"<?xml version='1.0' encoding='{declared}'?><a/>".encode(),
        "<?xml version='1.0'?><a/>".encode("cp037"),
    ):
        assert refused(data) in {Reason.ENCODING, Reason.NOT_WELL_FORMED}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("<!DOCTYPE a><a/>", Reason.DOCTYPE),
        ("<!-- c --><!DOCTYPE a [<!ENTITY x 'y'>]><a/>", Reason.DOCTYPE),
        ("<?x?><a/>", Reason.PROCESSING_INSTRUCTION),
        ("<a><?x y?></a>", Reason.PROCESSING_INSTRUCTION),
        ("<a/><?x?>", Reason.PROCESSING_INSTRUCTION),
        ("<a>&x;</a>", Reason.NOT_WELL_FORMED),
        ("<a>\x00</a>", Reason.NOT_WELL_FORMED),
        ("<a>\ufffe</a>", Reason.NOT_WELL_FORMED),
        ("<a></b>", Reason.NOT_WELL_FORMED),
        ("<a/><b/>", Reason.NOT_WELL_FORMED),
        ("", Reason.NOT_WELL_FORMED),
    ],
)
def test_documents_that_are_refused_in_any_encoding(document, reason, encoding):
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    assert refused((mark + document).encode(encoding)) is reason


def test_a_declaration_is_no_instruction():
    assert parse(b"<?xml version='1.0'?><a>?</a>", Limits()).tag == "a"
    assert parse(b"<a>&lt;?x?></a>", Limits()).text == "<?x?>"
    assert parse(b"<a b='&lt;?'/>", Limits()).get("b") == "<?"
    assert parse(b"<a><![CDATA[<?x?>]]></a>", Limits()).text == "<?x?>"
    assert parse(b"<a><!-- <?x?> --></a>", Limits()).text is None


def test_instructions_for_splicing_only():
    assert len(parse(b"<a><?x y?></a>", Limits(), instructions=True)) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    ("limits", "at_most", "above", "reason"),
    [
        (Limits(depth=5), "<a>" * 5 + "</a>" * 5, "<a>" * 6 + "</a>" * 6, Reason.TOO_DEEP),
        (
            Limits(elements=5),
            "<a>" + "<b/>" * 4 + "</a>",
            "<a>" + "<b/>" * 5 + "</a>",
            Reason.TOO_MANY_ELEMENTS,
        ),
        (
            Limits(attributes_per_element=2),
            "<a b='' c=''/>",
            "<a b='' c='' d=''/>",
            Reason.TOO_MANY_ATTRIBUTES,
        ),
        (
            Limits(namespace_declarations=2),
            "<a xmlns='urn:a' xmlns:b='urn:b'/>",
            "<a xmlns='urn:a'><b xmlns:b='urn:b' xmlns:c='urn:c'/></a>",
            Reason.TOO_MANY_NAMESPACES,
        ),
        (
            Limits(namespaces_in_scope=2),
            "<a xmlns='urn:a'><b xmlns:b='urn:b'/><b xmlns:b='urn:b'/></a>",
            "<a xmlns='urn:a'><b xmlns:b='urn:b'><b xmlns:b='urn:b'/></b></a>",
            Reason.NAMESPACES_IN_SCOPE,
        ),
        (
            Limits(namespace_characters=5),
            "<a xmlns='urn:a'><b xmlns:b = \"urn:b\">xmlns</b></a>",
            "<a xmlns='urn:a'><b xmlns:b = \"urn:&#98;c\">xmlns</b></a>",
            Reason.NAMESPACE_TOO_LONG,
        ),
        (
            Limits(namespace_characters=5),
            f"<a xmlns:{'b' * 300}='urn:a'/>",
            f"<a xmlns:{'b' * 300}='urn:ab'/>",
            Reason.NAMESPACE_TOO_LONG,
        ),
    ],
)
def test_budgets(limits, at_most, above, reason, encoding):
    parse(at_most.encode(encoding), limits)
    assert refused(above.encode(encoding), limits) is reason


def test_budgets_count_what_is_there_not_what_it_looks_like():
    text = "&lt;" * 10 + "<![CDATA[" + "<" * 10 + "= xmlns" * 10 + "]]>"
    parse(f"<a>{text}</a>".encode(), Limits(elements=2, attributes_per_element=1, namespace_declarations=1))


def test_elements_are_counted_before_a_tree_is_built():
    """16 MB of empty elements were parsed first: 4,000,000 elements, a second and more."""
    limits = Limits(elements=3)
    few, many = "<a><b/><?x y?><b></b></a>", "<a><b/><b></b><b/>"  # the latter is not even well-formed
    assert refused(few.encode(), limits) is Reason.PROCESSING_INSTRUCTION
    assert refused(many.encode(), limits) is Reason.TOO_MANY_ELEMENTS
    hidden = "<a><!--</</</</</-->" + "<b/>" * 3
    assert refused(hidden.encode(), limits) is Reason.TOO_MANY_ELEMENTS


def test_size():
    limits = Limits(message_bytes=10)
    parse(b"<aaaaaaa/>", limits)
    assert refused(b"<aaaaaaaa/>", limits) is Reason.MESSAGE_TOO_LARGE


@pytest.mark.parametrize("levels", [257, 2049, 100_000])
def test_depth_far_above(levels):
    assert refused(b"<a>" * levels + b"</a>" * levels) is Reason.TOO_DEEP


def test_large_texts_are_let_in_and_depth_still_counts():
    assert len(parse(b"<a>" + b"x" * 11_000_000 + b"</a>", Limits()).text or "") == 11_000_000
    assert refused(b"<a>" * 200 + b"x" * 11_000_000 + b"</a>" * 200) is Reason.TOO_DEEP


def test_comments_do_not_split_text():
    assert parse(b"<a>adm<!-- -->in</a>", Limits()).text == "admin"
