"""Identifiers that are not namespaces: value types, encodings, roles, addresses.

Algorithm identifiers stand in :mod:`wsprovider.words.algorithms`.
"""

from typing import Final

_WSS10: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
_WSS11: Final = "http://docs.oasis-open.org/wss/oasis-wss"

BASE64_BINARY: Final = f"{_WSS10}-soap-message-security-1.0#Base64Binary"

# X.509 Token Profile 1.1, section 3
X509_V3: Final = f"{_WSS10}-x509-token-profile-1.0#X509v3"
X509_V1: Final = f"{_WSS10}-x509-token-profile-1.0#X509v1"
X509_PKI_PATH: Final = f"{_WSS10}-x509-token-profile-1.0#X509PKIPathv1"
X509_PKCS7: Final = f"{_WSS10}-x509-token-profile-1.0#PKCS7"
SUBJECT_KEY_IDENTIFIER: Final = f"{_WSS10}-x509-token-profile-1.0#X509SubjectKeyIdentifier"

# SOAP Message Security 1.1, section 7.3 (key identifiers) and 7.7 (encrypted key references)
THUMBPRINT_SHA1: Final = f"{_WSS11}-soap-message-security-1.1#ThumbprintSHA1"
ENCRYPTED_KEY: Final = f"{_WSS11}-soap-message-security-1.1#EncryptedKey"
ENCRYPTED_KEY_SHA1: Final = f"{_WSS11}-soap-message-security-1.1#EncryptedKeySHA1"
STR_TRANSFORM: Final = f"{_WSS10}-soap-message-security-1.0#STR-Transform"

# UsernameToken Profile 1.1, section 3
PASSWORD_TEXT: Final = f"{_WSS10}-username-token-profile-1.0#PasswordText"
PASSWORD_DIGEST: Final = f"{_WSS10}-username-token-profile-1.0#PasswordDigest"
USERNAME_TOKEN: Final = f"{_WSS10}-username-token-profile-1.0#UsernameToken"

# Kerberos Token Profile 1.1, section 3.2
KERBEROS_AP_REQ: Final = f"{_WSS11}-kerberos-token-profile-1.1#Kerberosv5_AP_REQ"
KERBEROS_GSS_AP_REQ: Final = f"{_WSS11}-kerberos-token-profile-1.1#GSS_Kerberosv5_AP_REQ"
KERBEROS_AP_REQS: Final = (
    KERBEROS_AP_REQ,
    f"{KERBEROS_AP_REQ}1510",
    f"{KERBEROS_AP_REQ}4120",
)
"""An AP-REQ by itself: of no version, of RFC 1510, of RFC 4120."""
KERBEROS_GSS_AP_REQS: Final = (
    KERBEROS_GSS_AP_REQ,
    f"{KERBEROS_GSS_AP_REQ}1510",
    f"{KERBEROS_GSS_AP_REQ}4120",
)
"""The same, wrapped as GSS-API does."""
KERBEROS_AP_REQ_SHA1: Final = f"{_WSS11}-kerberos-token-profile-1.1#Kerberosv5APREQSHA1"

# XML Encryption, section 3.1: what a decrypted octet sequence is
TYPE_ELEMENT: Final = "http://www.w3.org/2001/04/xmlenc#Element"
TYPE_CONTENT: Final = "http://www.w3.org/2001/04/xmlenc#Content"

# SOAP 1.1 section 4.2.2, SOAP 1.2 part 1 section 2.2
ACTOR_NEXT: Final = "http://schemas.xmlsoap.org/soap/actor/next"
ROLE_NEXT: Final = "http://www.w3.org/2003/05/soap-envelope/role/next"
ROLE_ULTIMATE: Final = "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver"

# WS-Addressing: SOAP Binding and the member submission of 2004/08
WSA_200508_ANONYMOUS: Final = "http://www.w3.org/2005/08/addressing/anonymous"
WSA_200508_NONE: Final = "http://www.w3.org/2005/08/addressing/none"
WSA_200508_FAULT: Final = "http://www.w3.org/2005/08/addressing/fault"
WSA_200508_SOAP_FAULT: Final = "http://www.w3.org/2005/08/addressing/soap/fault"
WSA_200408_ANONYMOUS: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
WSA_200408_FAULT: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing/fault"
