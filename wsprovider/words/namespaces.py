"""XML namespaces of SOAP, WS-Security and their neighbours, each with the document that defines it.

Only constants live here. No other module spells a namespace (a test counts).
"""

from typing import Final

SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"
WSDL11: Final = "http://schemas.xmlsoap.org/wsdl/"
WSDL_SOAP11: Final = "http://schemas.xmlsoap.org/wsdl/soap/"
WSDL_SOAP12: Final = "http://schemas.xmlsoap.org/wsdl/soap12/"
XML: Final = "http://www.w3.org/XML/1998/namespace"
XMLNS: Final = "http://www.w3.org/2000/xmlns/"
XSD: Final = "http://www.w3.org/2001/XMLSchema"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
"""XML Signature Syntax and Processing 1.0."""
DSIG11: Final = "http://www.w3.org/2009/xmldsig11#"
XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
"""XML Encryption Syntax and Processing 1.0."""
XENC11: Final = "http://www.w3.org/2009/xmlenc11#"
EXC_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
"""Exclusive XML Canonicalization 1.0: the namespace of InclusiveNamespaces."""

WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
"""WSS SOAP Message Security 1.0."""
WSSE11: Final = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
"""WSS SOAP Message Security 1.1."""
WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"

WSC_200502: Final = "http://schemas.xmlsoap.org/ws/2005/02/sc"
WSC_200512: Final = "http://docs.oasis-open.org/ws-sx/ws-secureconversation/200512"
WST_200502: Final = "http://schemas.xmlsoap.org/ws/2005/02/trust"
WST_200512: Final = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"

WSA_200408: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSA_200508: Final = "http://www.w3.org/2005/08/addressing"
WSAM: Final = "http://www.w3.org/2007/05/addressing/metadata"
WSAW: Final = "http://www.w3.org/2006/05/addressing/wsdl"

WSP_200409: Final = "http://schemas.xmlsoap.org/ws/2004/09/policy"
"""WS-Policy 1.2."""
WSP_15: Final = "http://www.w3.org/ns/ws-policy"
"""WS-Policy 1.5."""
SP_200507: Final = "http://schemas.xmlsoap.org/ws/2005/07/securitypolicy"
"""WS-SecurityPolicy 1.1."""
SP_200702: Final = "http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702"
"""WS-SecurityPolicy 1.2 (and the base of 1.3)."""
SP_200802: Final = "http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200802"
"""Additions of WS-SecurityPolicy 1.3."""
CXF_POLICY: Final = "http://cxf.apache.org/custom/security-policy"
"""Apache CXF's own assertions: GCM suites and CustomAlgorithmSuite."""
RAMPART_POLICY: Final = "http://ws.apache.org/rampart/policy"
"""Apache Rampart's configuration that rides in policies; read over, never obeyed."""
CARBON_POLICY: Final = "http://www.wso2.org/products/carbon/security"
"""WSO2 Carbon's configuration that rides in policies; read over, never obeyed."""

SAML1: Final = "urn:oasis:names:tc:SAML:1.0:assertion"
SAML2: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
