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


def first_violation(schema: etree.XMLSchema) -> str:
    """What the last validation found, for the log: which rule, at which place, and none of the values."""
    log: Any = schema.error_log
    error = log.last_error
    return "" if error is None else f"{error.type_name} at {error.path}"


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
