"""A UsernameToken that is protected, or what HTTP says over TLS, becomes a user, or the message is refused.

Called only after the judge found every requirement met: the token was signed (or TLS carried it), so
what is checked is what the sender wrote. The store's answer is the same, and as fast, for an unknown
user and a wrong password (UsernameToken Profile 1.1, section 4).
"""

from wsprovider.header.fields import decode
from wsprovider.header.username_token import UsernameToken
from wsprovider.inbound.http_basic import BasicCredentials
from wsprovider.ports import Admission, User, Users, admit_all
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason


def authenticate(token: UsernameToken, users: Users, limits: Limits, *, admit: Admission = admit_all) -> User:
    """Check name and password.

    Args:
        admit: see :meth:`wsprovider.ports.Users.check_password`.

    Raises:
        WSSecurityError: PASSWORD_MISSING, PASSWORD_TOO_LONG, PASSWORD_WRONG, USER_UNKNOWN,
            USER_DISABLED, AUTHENTICATION_BUSY, MALFORMED_BASE64; what ``admit`` raises.
        BackendError: the store did not answer.
    """
    password = _present(token.password, limits)
    if not token.digest:
        return users.check_password(token.username, password, admit=admit)
    if token.nonce is None or token.created is None:
        raise WSSecurityError(Reason.NONCE)
    digest = decode(password, "Password")
    return users.check_digest(token.username, digest, token.nonce, token.created, admit=admit)


def authenticate_basic(
    credentials: BasicCredentials, users: Users, limits: Limits, *, admit: Admission = admit_all
) -> User:
    """The same for a name and password that came with HTTP; raises as :func:`authenticate`."""
    password = _present(credentials.password, limits)
    return users.check_password(credentials.name, password, admit=admit)


def _present(password: str | None, limits: Limits) -> str:
    if not password:
        raise WSSecurityError(Reason.PASSWORD_MISSING)
    if len(password.encode()) > limits.password_bytes:
        raise WSSecurityError(Reason.PASSWORD_TOO_LONG)
    return password
