"""Spyne's SOAP protocols between verified trees: the last tree of the engine in, a Body out.

Stock Spyne parses the message itself, resolves ``href`` to any element with that ``id`` (an unsigned
header's too), takes ``xsi:nil="false"`` for nil, lets ``xsi:type`` name any class it knows and leaves
the schema alone unless asked (docs/decisions/0020-spyne-hooks.md). Here nothing is parsed, nothing is
resolved, the schema is always asked, and only Spyne's conversion between elements and Python values
is left of it.
"""

from copy import deepcopy
from typing import Any, Final

from lxml import etree
from spyne.const.xml import NSMAP
from spyne.model.binary import BINARY_ENCODING_BASE64, BINARY_ENCODING_USE_DEFAULT
from spyne.model.complex import ComplexModelBase
from spyne.model.fault import Fault
from spyne.protocol.soap import Soap11, Soap12

from wsprovider.server.schema import schema_of, violation
from wsprovider.soap.version import SOAP_VERSIONS
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import SoapError, SoapFault
from wsprovider.words.reasons import Reason

_NIL: Final = f"{{{ns.XSI}}}nil"
_TYPE: Final = f"{{{ns.XSI}}}type"
_TRUE: Final = frozenset({"true", "1"})
_BLANK: Final = " \t\r\n"
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n"
_NEVER_IN_A_BODY: Final = frozenset(uri for prefix, uri in NSMAP.items() if prefix not in ("xs", "xsi"))
"""Namespaces that every Spyne interface carries and no message's content uses."""


class _Scratch:
    """``ctx.protocol``: Spyne's own keeps itself alive, and with it the whole message."""

    def __init__(self, parent: Any, transport: Any) -> None:
        self.parent = parent
        self.itself = transport
        self.type: str | None = None
        self._below: dict[Any, _Scratch] = {}

    def __getitem__(self, item: Any) -> "_Scratch":
        if item not in self._below:
            self._below[item] = _Scratch(self.parent, self.itself)
        return self._below[item]


class _Secure(Soap11):  # type: ignore[misc]
    """What both protocols do differently from stock Spyne; goes before ``Soap12`` where that is wanted."""

    def __init__(self, **options: Any) -> None:
        # Spyne's own validator stays off: it reports by sending libxml2's words to the peer, and
        # compiles the schema once per protocol.
        super().__init__(validator=None, **options)
        self.nsmap: dict[str, str] = {}
        self._attributes: dict[Any, Any] = {}
        self.schema: etree.XMLSchema | None = None

    def set_app(self, value: Any) -> None:
        """Bind the protocol to its application, whose schema is compiled now."""
        super().set_app(value)
        if value is None:
            return
        self.schema = schema_of(value)
        used = {prefix: uri for prefix, uri in value.interface.nsmap.items() if uri not in _NEVER_IN_A_BODY}
        self.nsmap = {**used, "soap": self.ns_soap_env}

    def get_cls_attrs(self, cls: Any) -> Any:
        """A type's attributes; Spyne's own cache costs two microseconds at each of many calls."""
        try:
            return self._attributes[cls]
        except KeyError:
            found = self._attributes[cls] = super().get_cls_attrs(cls)
            return found

    def get_context(self, parent: Any, transport: Any) -> Any:
        """What ``ctx.protocol`` is."""
        return _Scratch(parent, transport)

    # in

    def create_in_document(self, ctx: Any, charset: str | None = None) -> None:
        """Refuse: what arrives here came by a way around message security.

        ``WsgiApplication(application)`` and the other transports of Spyne end up here when somebody
        keeps serving an application whose protocols were exchanged.
        """
        del ctx, charset
        raise Fault("Client", "This service is not available this way.")

    def take(self, ctx: Any, root: etree._Element, payload: etree._Element) -> None:
        """Give a context the verified tree, and pick the operation by the payload's name.

        Raises:
            SoapError: NOT_AN_INPUT, INVALID_PARAMETERS.
        """
        descriptors = self.app.interface.service_method_map.get(payload.tag)
        if not descriptors:
            raise SoapError(SoapFault.CLIENT, Reason.NOT_AN_INPUT, payload.tag)
        self._check(payload)
        ctx.in_document = root
        ctx.in_body_doc = payload
        ctx.method_request_string = payload.tag
        ctx.descriptor = descriptors[0]
        if ctx.descriptor.in_header is not None:
            ctx.in_header_doc = self._declared_headers(ctx.descriptor, root)

    def _check(self, element: etree._Element) -> None:
        """Hold an element against the schema, which knows nothing of defaults from outside.

        Raises:
            SoapError: INVALID_PARAMETERS.
        """
        if self.schema is None:
            raise RuntimeError("the protocol belongs to no application")
        wrong = violation(self.schema, element)
        if wrong is not None:
            raise SoapError(SoapFault.CLIENT, Reason.INVALID_PARAMETERS, wrong)

    def _declared_headers(self, descriptor: Any, root: etree._Element) -> list[etree._Element]:
        """The header blocks for us that the operation declares, each at most once and by the schema."""
        version = SOAP_VERSIONS[self.ns_soap_env]
        names = {f"{{{cls.get_namespace()}}}{cls.get_type_name()}" for cls in descriptor.in_header}
        role = f"{{{version.namespace}}}{version.role_attribute}"
        found: dict[str, etree._Element] = {}
        for block in root[0] if len(root) > 1 else ():
            if block.tag not in names or (block.get(role) or None) not in {None, *version.own_roles}:
                continue
            if block.tag in found:
                raise SoapError(SoapFault.CLIENT, Reason.INVALID_PARAMETERS, f"two headers {block.tag}")
            self._check(_without_frame(block))
            found[block.tag] = block
        return list(found.values())

    def from_element(self, ctx: Any, cls: Any, element: etree._Element) -> Any:
        """Convert one element; ``xsi:nil`` and ``xsi:type`` as XML Schema part 1, 2.6 has them."""
        attributes = element.attrib
        if attributes:
            nil = attributes.get(_NIL)
            if nil is not None and nil.strip(_BLANK) in _TRUE:
                return self.get_cls_attrs(cls).default if self.replace_null_with_default else None
            named = attributes.get(_TYPE)
            if named is not None:
                cls = self._declared_subtype(cls, element, named.strip(_BLANK))
        return self.deserialization_handlers[cls](ctx, cls, element)

    def _declared_subtype(self, cls: Any, element: etree._Element, named: str) -> Any:
        """The class that ``xsi:type`` names, which must be the declared one or derived from it.

        The schema has said so already wherever the declared type is not ``anyType``; there the
        declared class reads whatever it is.
        """
        prefix, _, local = named.rpartition(":")
        namespace = element.nsmap.get(prefix or None)
        found = self.app.interface.classes.get(f"{{{namespace}}}{local}" if namespace else local)
        declared = getattr(cls, "__orig__", None) or cls
        if (
            found is not None
            and issubclass(found, ComplexModelBase)
            and issubclass(declared, ComplexModelBase)
            and issubclass(found, declared)
        ):
            return found
        if issubclass(declared, ComplexModelBase) and not _same_type(cls, namespace, local):
            raise SoapError(SoapFault.CLIENT, Reason.INVALID_PARAMETERS, f"xsi:type {local}")
        return cls

    def byte_array_from_element(self, ctx: Any, cls: Any, element: etree._Element) -> Any:
        """Binary data; libxml2 and Python both read past what is no character of base64."""
        encoding = self.get_cls_attrs(cls).encoding or self.binary_encoding
        strange = (element.text or "").encode("ascii", "replace").translate(None, _BASE64)
        if strange and encoding in (None, BINARY_ENCODING_BASE64, BINARY_ENCODING_USE_DEFAULT):
            raise SoapError(SoapFault.CLIENT, Reason.INVALID_PARAMETERS, "base64")
        return super().byte_array_from_element(ctx, cls, element)

    # out

    def serialize(self, ctx: Any, message: Any) -> None:
        """Put the reply's Body into ``ctx.out_body_doc`` and its headers into ``ctx.out_header_doc``."""
        if ctx.descriptor is None:  # the refusal of create_in_document, on its way out through Spyne
            super().serialize(ctx, message)
            return
        self.event_manager.fire_event("before_serialize", ctx)
        body = etree.Element(f"{{{self.ns_soap_env}}}Body", nsmap=self.nsmap)
        descriptor = ctx.descriptor
        declared = descriptor.out_message
        if descriptor.body_style.__name__ == "BODY_STYLE_WRAPPED":
            values = tuple(ctx.out_object)
            wrapper = declared()
            attributes = self.get_cls_attrs(declared)
            for index, name in enumerate(declared._type_info):
                wrapper._safe_set(name, values[index] if index < len(values) else None, declared, attributes)
            self.to_parent(ctx, declared, wrapper, body, declared.get_namespace())
        else:
            attributes = declared.Attributes
            namespace = self._namespace(attributes.sub_ns, declared)
            name = attributes.sub_name or declared.get_type_name()
            self.to_parent(ctx, declared, ctx.out_object[0], body, namespace, name)
        ctx.out_body_doc = body
        ctx.out_header_doc = self._headers(ctx)
        self.event_manager.fire_event("after_serialize", ctx)

    def create_out_string(self, ctx: Any, charset: str | None = None) -> None:
        """Write the one refusal of ``create_in_document``; all else is written by message security."""
        if ctx.descriptor is None:
            super().create_out_string(ctx, charset)
            return
        raise RuntimeError("a reply is protected by its Recipient, not serialised by Spyne")

    def _namespace(self, namespace: Any, cls: Any) -> str:
        if isinstance(namespace, str):
            return namespace
        return str(cls.get_namespace() if namespace is None else self.app.interface.get_tns())

    def _headers(self, ctx: Any) -> list[etree._Element]:
        classes = ctx.descriptor.out_header
        if ctx.out_header is None or classes is None:
            return []
        values = ctx.out_header if isinstance(ctx.out_header, list | tuple) else (ctx.out_header,)
        parent = etree.Element("headers", nsmap=self.nsmap)
        for cls, value in zip(classes, values, strict=False):
            if value is not None:
                self.to_parent(ctx, cls, value, parent, cls.get_namespace(), cls.get_type_name())
        return list(parent)


def _without_frame(block: etree._Element) -> etree._Element:
    """A header block as its type knows it: without the attributes of SOAP (role) and of security (Id)."""
    copy = deepcopy(block)
    for name in [str(name) for name in copy.attrib]:
        if name.startswith("{") and not name.startswith(f"{{{ns.XSI}}}"):
            del copy.attrib[name]
    return copy


def _same_type(cls: Any, namespace: str | None, local: str) -> bool:
    return bool(cls.get_type_name() == local and cls.get_namespace() == namespace)


class SecureSoap11(_Secure):
    """SOAP 1.1 for an application behind message security."""


class SecureSoap12(_Secure, Soap12):  # type: ignore[misc]
    """SOAP 1.2 for an application behind message security."""


_KEPT_OPTIONS: Final = ("polymorphic", "replace_null_with_default", "binary_encoding")


def exchanged(protocol: Any) -> SecureSoap11:
    """Our protocol in place of a stock one, with those of its options that concern values.

    Raises:
        TypeError: the protocol is none of SOAP's, so nobody would know what to verify.
    """
    if isinstance(protocol, SecureSoap11):
        return protocol
    if type(protocol) not in (Soap11, Soap12):
        raise TypeError(f"{type(protocol).__name__} is neither spyne's Soap11 nor its Soap12")
    return SecureSoap11(**{name: getattr(protocol, name) for name in _KEPT_OPTIONS})


def companion(protocol: SecureSoap11, application: Any) -> SecureSoap12:
    """The SOAP 1.2 protocol that treats values as the given SOAP 1.1 protocol does."""
    other = SecureSoap12(**{name: getattr(protocol, name) for name in _KEPT_OPTIONS})
    other.set_app(application)
    return other
