"""Mutators of structure: elements are moved, copied, taken away, wrapped, renamed, and taken from elsewhere."""

import copy

from lxml import etree

from tests.fuzz.draft import Draft, Nothing, parent_of, pick, table
from tests.simulator.bend import BODY, HEADER, SECURITY, element
from wsprovider.words import namespaces as ns

NAMESPACES = (
    ns.SOAP11, ns.SOAP12, ns.DS, ns.XENC, ns.WSSE, ns.WSSE11, ns.WSU, ns.WSC_200512, ns.WSC_200502,
    ns.WST_200512, ns.WST_200502, ns.WSA_200508, ns.WSA_200408, ns.EXC_C14N, ns.XENC11, "urn:wsprovider:echo", "urn:x",
)  # fmt: skip
NAMES = (
    "Envelope", "Header", "Body", "Security", "Timestamp", "Created", "Expires", "UsernameToken", "Username",
    "Password", "Nonce", "BinarySecurityToken", "SecurityTokenReference", "Reference", "KeyIdentifier", "Embedded",
    "Signature", "SignedInfo", "SignatureValue", "KeyInfo", "X509Data", "X509IssuerSerial", "KeyValue", "Object",
    "Manifest", "Transforms", "Transform", "DigestMethod", "DigestValue", "HMACOutputLength", "InclusiveNamespaces",
    "EncryptedKey", "EncryptedData", "EncryptedHeader", "ReferenceList", "DataReference", "KeyReference", "CipherData",
    "CipherValue", "CipherReference", "EncryptionMethod", "OAEPparams", "MGF", "SignatureConfirmation",
    "DerivedKeyToken", "SecurityContextToken", "Identifier", "Instance", "Offset", "Length", "Generation", "Label",
    "RequestSecurityToken", "RequestSecurityTokenCollection", "RequestType", "TokenType", "Entropy", "BinarySecret",
    "Lifetime", "AppliesTo", "CancelTarget", "RenewTarget", "OnBehalfOf", "Fault", "To", "Action", "MessageID",
    "ReplyTo", "FaultTo", "RelatesTo", "echo", "order", "text", "Assertion",
)  # fmt: skip
"""Local names of everything that a header or a token request may hold, and of some that it may not."""
LOOSE = (
    (
        "<wsu:Timestamp wsu:Id='TS-x'><wsu:Created>2026-06-01T12:00:00Z</wsu:Created>"
        "<wsu:Expires>2026-06-01T12:05:00Z</wsu:Expires></wsu:Timestamp>"
    ),
    (
        "<wsse:UsernameToken wsu:Id='UT-x'><wsse:Username>bob</wsse:Username><wsse:Password>geheim</wsse:Password>"
        "</wsse:UsernameToken>"
    ),
    "<wsse:UsernameToken><wsse:Username>alice</wsse:Username></wsse:UsernameToken>",
    "<wsse11:SignatureConfirmation wsu:Id='SC-x' Value='AAAA'/>",
    "<wsse11:SignatureConfirmation/>",
    "<wsc:SecurityContextToken wsu:Id='SCT-x'><wsc:Identifier>urn:x</wsc:Identifier></wsc:SecurityContextToken>",
    (
        "<wsc:DerivedKeyToken wsu:Id='DK-x'><wsc:Offset>0</wsc:Offset><wsc:Length>32</wsc:Length><wsc:Nonce>AAAA"
        "</wsc:Nonce></wsc:DerivedKeyToken>"
    ),
    "<wsse:BinarySecurityToken wsu:Id='X-x'>AAAA</wsse:BinarySecurityToken>",
    "<xenc:ReferenceList><xenc:DataReference URI='#x'/></xenc:ReferenceList>",
    "<xenc:EncryptedData Id='ED-x'/>",
    "<wsse11:EncryptedHeader wsu:Id='EH-x'><xenc:EncryptedData Id='ED-y'/></wsse11:EncryptedHeader>",
    "<ds:Signature Id='SIG-x'/>",
    "<wsse:Security/>",
    "<wsse:Security s:mustUnderstand='1' s:actor='urn:other'/>",
    "<wsa:To>http://elsewhere.example.org/echo</wsa:To>",
    "<wsa:ReplyTo><wsa:Address>http://elsewhere.example.org/</wsa:Address></wsa:ReplyTo>",
    "<wsa:MessageID wsu:Id='x'>urn:uuid:forged</wsa:MessageID>",
    "<wsa:Action>urn:wsprovider:echo/erase</wsa:Action>",
    "<e:echo><e:text>forged</e:text></e:echo>",
    "<e:text href='#x'>forged</e:text>",
    "<ec:InclusiveNamespaces PrefixList='#default e s'/>",
    "<ds:HMACOutputLength>0</ds:HMACOutputLength>",
    "<xenc:CipherReference URI='http://elsewhere.example.org/'/>",
)
"""Elements that policies ask for, allow or forbid, and that a message may be given beside its own."""


def _within(inner: etree._Element, outer: etree._Element) -> bool:
    return inner is outer or any(ancestor is outer for ancestor in inner.iterancestors())


def _put(parent: etree._Element, child: etree._Element, how: int) -> None:
    child.tail = None
    parent.insert(how % (len(parent) + 1), child)


def remove(draft: Draft, where: int, other: int, how: int) -> None:
    found = draft.element(where)
    parent_of(found).remove(found)


def duplicate(draft: Draft, where: int, other: int, how: int) -> None:
    found = draft.element(where)
    found.addnext(copy.deepcopy(found))


def copy_into(draft: Draft, where: int, other: int, how: int) -> None:
    found = draft.element(where)
    _put(draft.element(other), copy.deepcopy(found), how)


def move(draft: Draft, where: int, other: int, how: int) -> None:
    found, to = draft.element(where), draft.element(other)
    if _within(to, found):
        raise Nothing
    _put(to, found, how)


def move_to_frame(draft: Draft, where: int, other: int, how: int) -> None:
    """To where SOAP looks: the Envelope, its Header, its Body, the Security header."""
    to = pick([draft.root, *(one for path in (HEADER, BODY, SECURITY) for one in draft.every(path))], other)
    found = draft.element(where)
    if _within(to, found):
        raise Nothing
    _put(to, found, how)


def swap(draft: Draft, where: int, other: int, how: int) -> None:
    one, two = draft.element(where), draft.element(other)
    if _within(one, two) or _within(two, one):
        raise Nothing
    mark = etree.Element("mark")
    parent_of(one).replace(one, mark)
    parent_of(two).replace(two, one)
    parent_of(mark).replace(mark, two)


def wrap(draft: Draft, where: int, other: int, how: int) -> None:
    found = draft.element(where)
    wrapper = etree.Element(f"{{{pick(NAMESPACES, other)}}}{pick(NAMES, how)}")
    parent_of(found).replace(found, wrapper)
    wrapper.append(found)


def wrap_copy(draft: Draft, where: int, other: int, how: int) -> None:
    """Signature wrapping: the genuine element moves into another one, and a changed copy takes its place."""
    found, to = draft.element(where), draft.element(other)
    if _within(to, found):
        raise Nothing
    forged = copy.deepcopy(found)
    parent_of(found).replace(found, forged)
    _put(to, found, how)
    for leaf in [one for one in forged.iter(etree.Element) if not len(one) and one.text][:1]:
        leaf.text = "forged"
    if how & 1:
        forged.attrib.clear()


def unwrap(draft: Draft, where: int, other: int, how: int) -> None:
    found = draft.element(where)
    parent = parent_of(found)
    if not len(found):
        raise Nothing
    at = parent.index(found)
    for child in reversed(found):
        parent.insert(at, child)
    parent.remove(found)


def reverse(draft: Draft, where: int, other: int, how: int) -> None:
    found = pick([one for one in draft.root.iter(etree.Element) if len(one) > 1], where)
    found[:] = list(found)[::-1]


def empty(draft: Draft, where: int, other: int, how: int) -> None:
    found = draft.element(where)
    del found[:]
    found.text = None


def rename(draft: Draft, where: int, other: int, how: int) -> None:
    """To the name of another element of the message."""
    found, like = draft.element(where), draft.element(other)
    if found.tag == like.tag:
        raise Nothing
    found.tag = like.tag


def rename_local(draft: Draft, where: int, other: int, how: int) -> None:
    found = draft.element(where)
    found.tag = f"{{{etree.QName(found).namespace}}}{pick(NAMES, other)}"


def rename_namespace(draft: Draft, where: int, other: int, how: int) -> None:
    found = draft.element(where)
    found.tag = f"{{{pick(NAMESPACES, other)}}}{etree.QName(found).localname}"


def version(draft: Draft, where: int, other: int, how: int) -> None:
    """Another version of SOAP, trust or conversations throughout."""
    old, new = pick(
        [(ns.SOAP11, ns.SOAP12), (ns.SOAP12, ns.SOAP11), (ns.WSC_200512, ns.WSC_200502),
         (ns.WSC_200502, ns.WSC_200512), (ns.WST_200512, ns.WST_200502), (ns.WST_200502, ns.WST_200512)],
        how,
    )  # fmt: skip
    found = list(draft.root.iter(f"{{{old}}}*"))
    if not found:
        raise Nothing
    for one in found:
        one.tag = f"{{{new}}}{etree.QName(one).localname}"


def prefix(draft: Draft, where: int, other: int, how: int) -> None:
    """The same name by another prefix: what says the same in other octets."""
    found = draft.element(where)
    namespace = etree.QName(found).namespace
    chosen = pick(("soap", "e", "ds", "wsu", "q", "ns0", None), other)
    renamed = etree.Element(found.tag, nsmap={chosen: namespace})
    for name, value in found.attrib.items():
        renamed.set(name, value)
    renamed.text, renamed.tail = found.text, found.tail
    parent_of(found).replace(found, renamed)
    renamed.extend(found)


def comment(draft: Draft, where: int, other: int, how: int) -> None:
    _put(draft.element(where), etree.Comment(" x "), how)


def comment_in_text(draft: Draft, where: int, other: int, how: int) -> None:
    """Splits a text in two, as the forgers of SAML subjects did."""
    found = pick([one for one in draft.root.iter(etree.Element) if (one.text or "").strip()], where)
    text = found.text or ""
    at = other % (len(text) + 1)
    added = etree.Comment("x")
    found.text, added.tail = text[:at], text[at:]
    found.insert(0, added)


def instruction(draft: Draft, where: int, other: int, how: int) -> None:
    _put(draft.element(where), etree.ProcessingInstruction("x", "y"), how)


def stray_text(draft: Draft, where: int, other: int, how: int) -> None:
    draft.element(where).tail = pick((" ", "\n\t", "x", "\u00a0", "\u2028"), how)


def donate(draft: Draft, where: int, other: int, how: int) -> None:
    """An element of another genuine message beside one of this."""
    gift = pick(list(draft.donors(how).iter(etree.Element))[1:], other)
    _put(parent_of(draft.element(where)), copy.deepcopy(gift), where)


def cross_over(draft: Draft, where: int, other: int, how: int) -> None:
    """An element of another genuine message in the place of its like."""
    found = draft.element(where)
    gifts = [one for one in draft.donors(how).iter(found.tag) if one.getparent() is not None]
    gift = copy.deepcopy(pick(gifts, other))
    gift.tail = found.tail
    parent_of(found).replace(found, gift)


def cross_header(draft: Draft, where: int, other: int, how: int) -> None:
    """One message's header before another one's Body."""
    mine, theirs = pick(draft.every(HEADER), 0), pick(_headers(draft.donors(how)), 0)
    parent_of(mine).replace(mine, copy.deepcopy(theirs))


def _headers(root: etree._Element) -> list[etree._Element]:
    return [one for one in root if etree.QName(one).localname == "Header"]


def add_loose(draft: Draft, where: int, other: int, how: int) -> None:
    """Something that is asked for, allowed or forbidden, into the Security header or elsewhere."""
    to = pick(draft.every(SECURITY), where) if where % 4 else draft.element(where)
    _put(to, element(pick(LOOSE, other)), how)


def deepen(draft: Draft, where: int, other: int, how: int) -> None:
    """Many levels, or many siblings."""
    found = draft.element(where)
    for _ in range(how % 90):
        child = etree.SubElement(found, f"{{{ns.WSU}}}x")
        found = child if other % 2 else found


TREES = table(
    remove, duplicate, copy_into, move, move_to_frame, swap, wrap, wrap_copy, unwrap, reverse, empty, rename,
    rename_local, rename_namespace, version, prefix, comment, comment_in_text, instruction, stray_text, donate,
    cross_over, cross_header, add_loose, deepen,
)  # fmt: skip
