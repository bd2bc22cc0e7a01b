"""The XML Schema of a Spyne application, compiled once and asked for every message.

Spyne writes one schema document a namespace and compiles the one of the target namespace; what that
one does not import stays unknown to it. Here a document of ours imports them all.
"""

import tempfile
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

from lxml import etree

from wsprovider.words import namespaces as ns
from wsprovider.words.errors import ConfigurationError, Problem

_MANY: Final = etree.XPath(
    "boolean((descendant::*)[position() > 300]) or boolean((descendant-or-self::*/@*)[position() > 300])"
)
_BLOCK: Final = 4096
_COMPILED: Final[WeakKeyDictionary[Any, etree.XMLSchema]] = WeakKeyDictionary()


def schema_of(application: Any) -> etree.XMLSchema:
    """The application's schema; compiled at the first call.

    Raises:
        ConfigurationError: the types do not make a schema that libxml2 accepts.
    """
    interface = application.interface
    schema = _COMPILED.get(interface)
    if schema is None:
        schema = _COMPILED[interface] = _compile(application)
    return schema


def violation(schema: etree.XMLSchema, element: etree._Element) -> str | None:
    """What is wrong with an element, for the log: which rule, perhaps where, and none of the values.

    Of a tree, libxml2 collects everything that is wrong, and counts siblings to tell the place of each:
    64,000 numbers that are none, in half a megabyte, took it twenty seconds. So whatever could be wrong
    in many places is validated as a stream, up to the first block with a fault in it.
    """
    if _MANY(element):
        return _violation_in_stream(schema, element)
    if schema.validate(element):
        return None
    log: Any = schema.error_log
    return f"{log.last_error.type_name} at {log.last_error.path}"


class _Nothing:
    """What a parser makes of a document that is only to be validated."""

    def close(self) -> None:
        """The end of the document."""


def _violation_in_stream(schema: etree.XMLSchema, element: etree._Element) -> str | None:
    data = etree.tostring(element, encoding="UTF-8", with_tail=False)
    target: Any = _Nothing()
    parser: Any = etree.XMLParser(target=target, schema=schema, huge_tree=True)
    log: Any = ()
    for start in range(0, len(data), _BLOCK):
        parser.feed(data[start : start + _BLOCK])
        log = parser.feed_error_log
        if len(log):
            return str(log[0].type_name)
    try:
        parser.close()
    except etree.XMLSyntaxError as error:
        return type(error).__name__
    return None


def _compile(application: Any) -> etree.XMLSchema:
    documents = application.interface.docs.xml_schema
    documents.build_schema_nodes(with_schema_location=True)
    driver = etree.Element(f"{{{ns.XSD}}}schema", nsmap={"xs": ns.XSD})
    try:
        # libxml2 follows schemaLocation by its own loader, so the documents become files for a moment.
        with tempfile.TemporaryDirectory(prefix="wsprovider-schema-") as name:
            folder = Path(name)
            for prefix, node in documents.schema_dict.items():
                for imported in node.iterchildren(f"{{{ns.XSD}}}import"):
                    _keep_local(imported)
                etree.ElementTree(node).write(str(folder / f"{prefix}.xsd"))
                etree.SubElement(
                    driver,
                    f"{{{ns.XSD}}}import",
                    namespace=node.get("targetNamespace"),
                    schemaLocation=f"{prefix}.xsd",
                )
            start = folder / "all..xsd"  # no prefix ends in a full stop
            etree.ElementTree(driver).write(str(start))
            return etree.XMLSchema(file=str(start))
    except (etree.XMLSchemaParseError, etree.XMLSyntaxError) as error:
        where = f"application {application.name}"
        raise ConfigurationError([Problem(where, f"its types make no valid XML Schema: {error}")]) from error


def _keep_local(imported: etree._Element) -> None:
    """Spyne names the W3C's copy of some schemas; nothing is fetched, so the location goes."""
    if "/" in imported.get("schemaLocation", ""):
        del imported.attrib["schemaLocation"]
