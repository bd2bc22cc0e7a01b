"""Algorithm identifiers of XML Signature, XML Encryption, RFC 6931/9231 and WS-SecureConversation.

Names only; what each one does is a row of :mod:`wsprovider.crypto.algorithms`.
"""

from typing import Final

_DS: Final = "http://www.w3.org/2000/09/xmldsig#"
_DSIG_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_DSIG_MORE_2021: Final = "http://www.w3.org/2021/04/xmldsig-more#"
_XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
_XENC11: Final = "http://www.w3.org/2009/xmlenc11#"

# canonical form and transforms
EXC_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
C14N: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED: Final = f"{_DS}enveloped-signature"
STR_TRANSFORM: Final = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform"
)

# digests
SHA1: Final = f"{_DS}sha1"
SHA256: Final = f"{_XENC}sha256"
SHA384: Final = f"{_DSIG_MORE}sha384"
SHA512: Final = f"{_XENC}sha512"

# signatures
RSA_SHA1: Final = f"{_DS}rsa-sha1"
RSA_SHA256: Final = f"{_DSIG_MORE}rsa-sha256"
RSA_SHA384: Final = f"{_DSIG_MORE}rsa-sha384"
RSA_SHA512: Final = f"{_DSIG_MORE}rsa-sha512"
ECDSA_SHA256: Final = f"{_DSIG_MORE}ecdsa-sha256"
ECDSA_SHA384: Final = f"{_DSIG_MORE}ecdsa-sha384"
ECDSA_SHA512: Final = f"{_DSIG_MORE}ecdsa-sha512"
EDDSA_ED25519: Final = f"{_DSIG_MORE_2021}eddsa-ed25519"
HMAC_SHA1: Final = f"{_DS}hmac-sha1"
HMAC_SHA256: Final = f"{_DSIG_MORE}hmac-sha256"
HMAC_SHA384: Final = f"{_DSIG_MORE}hmac-sha384"
HMAC_SHA512: Final = f"{_DSIG_MORE}hmac-sha512"

# data encryption
AES128_CBC: Final = f"{_XENC}aes128-cbc"
AES192_CBC: Final = f"{_XENC}aes192-cbc"
AES256_CBC: Final = f"{_XENC}aes256-cbc"
TRIPLEDES_CBC: Final = f"{_XENC}tripledes-cbc"
AES128_GCM: Final = f"{_XENC11}aes128-gcm"
AES192_GCM: Final = f"{_XENC11}aes192-gcm"
AES256_GCM: Final = f"{_XENC11}aes256-gcm"

# key transport
RSA_15: Final = f"{_XENC}rsa-1_5"
RSA_OAEP_MGF1P: Final = f"{_XENC}rsa-oaep-mgf1p"
RSA_OAEP: Final = f"{_XENC11}rsa-oaep"
MGF1_SHA1: Final = f"{_XENC11}mgf1sha1"
MGF1_SHA256: Final = f"{_XENC11}mgf1sha256"
MGF1_SHA384: Final = f"{_XENC11}mgf1sha384"
MGF1_SHA512: Final = f"{_XENC11}mgf1sha512"

# key wrap
KW_AES128: Final = f"{_XENC}kw-aes128"
KW_AES192: Final = f"{_XENC}kw-aes192"
KW_AES256: Final = f"{_XENC}kw-aes256"

# derivation: WS-SecureConversation 1.2 (2005/02) and 1.3/1.4 (200512), section 7
P_SHA1_200502: Final = "http://schemas.xmlsoap.org/ws/2005/02/sc/dk/p_sha1"
P_SHA1_200512: Final = "http://docs.oasis-open.org/ws-sx/ws-secureconversation/200512/dk/p_sha1"

# named only to be refused (XML Signature Best Practices, sections 2 and 3; RFC 6151)
XPATH: Final = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XSLT: Final = "http://www.w3.org/TR/1999/REC-xslt-19991116"
BASE64: Final = f"{_DS}base64"
MD5: Final = f"{_DSIG_MORE}md5"
HMAC_MD5: Final = f"{_DSIG_MORE}hmac-md5"
