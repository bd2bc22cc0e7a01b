"""PKCS#11 modules of this process: opened when needed, entered by one thread at a time, closed before a fork.

* python-pkcs11 calls ``C_Initialize(NULL)``, which promises the module that no two threads are ever in it at
  once (PKCS#11 3.1, section 5.4.1; SoftHSM then makes no locks). So each module has one lock, and one session for
  each token is enough: reloading a ring opens no further one, and keys of older snapshots share it.
* Neither sessions nor an initialised module survive a fork (section 5.4.1, too). The lock is held and the module
  finalised while a process forks; parent and child open it again when they next need it.
* Tokens lock after a few wrong PINs. A PIN that the token has refused is not shown to it again by this process,
  and the last try that a token announces is left to the operator.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import pkcs11
from pkcs11 import PKCS11Error, TokenFlag, exceptions

from wsprovider.adapters.keys.pkcs11 import TokenName
from wsprovider.adapters.shared.forking import watch
from wsprovider.words.errors import BackendError

T = TypeVar("T")

_LOST: Final = (
    exceptions.DeviceError,
    exceptions.DeviceMemory,
    exceptions.DeviceRemoved,
    exceptions.HostMemory,
    exceptions.KeyHandleInvalid,
    exceptions.ObjectHandleInvalid,
    exceptions.SessionClosed,
    exceptions.SessionHandleInvalid,
    exceptions.SlotIDInvalid,
    exceptions.TokenNotPresent,
    exceptions.TokenNotRecognised,
    exceptions.UserNotLoggedIn,
)
"""What a token says when it or our session is gone; never what it says of a ciphertext."""
_PAUSES: Final = (0.02, 0.1)
"""Seconds between tries to open a token: SoftHSM overlooks one that another process logs in to at this moment."""
_WRONG_PIN: Final = (exceptions.PinIncorrect, exceptions.PinInvalid, exceptions.PinLenRange)


@dataclass
class _Login:
    session: Any
    pin: str = field(repr=False)


class Module:
    """One PKCS#11 library; take it from :func:`module_at`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._library: Any = None
        self._slots: dict[TokenName, int] = {}
        self._logins: dict[int, _Login] = {}
        self._refused: set[tuple[bytes, str]] = set()
        watch(self)

    def login(self, token: TokenName, pin: str) -> None:
        """Have the token opened by this very PIN.

        Raises:
            BackendError: there is no such module or token, or it does not take the PIN.
        """
        with self._lock:
            known = self._logins.get(self._slots.get(token, -1))
            if known is not None and known.pin != pin:
                self._close()
            self._session(token, pin)

    def call(self, token: TokenName, pin: str, do: Callable[[Any], T]) -> T:
        """Do something in the token's session, once more in a new one if that was lost.

        Args:
            token: the token.
            pin: opens it where it is not open.
            do: gets the session, which is its own until it returns.

        Raises:
            BackendError: the token does not answer, or cannot be opened.
            PKCS11Error: what else the token says.
        """
        with self._lock:
            try:
                return do(self._session(token, pin))
            except _LOST:
                self._close()
            try:
                return do(self._session(token, pin))
            except _LOST as error:
                self._close()
                raise BackendError(f"{token} does not answer: {said(error)}") from None

    def before_fork(self) -> None:
        """See :class:`wsprovider.adapters.shared.forking.ForkAware`: waits for a call, and closes the module."""
        self._lock.acquire()
        self._close()

    def after_fork_in_parent(self) -> None:
        """See :class:`wsprovider.adapters.shared.forking.ForkAware`."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """See :class:`wsprovider.adapters.shared.forking.ForkAware`."""
        self._lock = threading.Lock()
        self._close()  # open only where nobody told of the fork

    def _session(self, name: TokenName, pin: str) -> Any:
        known = self._logins.get(self._slots.get(name, -1))
        if known is not None:
            return known.session
        for pause in _PAUSES:
            try:
                return self._open(self._find(name), name, pin)
            except PKCS11Error:
                self._close()
                time.sleep(pause)
        try:
            return self._open(self._find(name), name, pin)
        except exceptions.NoSuchToken:
            raise BackendError(f"{name} is not there: the module {self._path} knows no such one") from None
        except PKCS11Error as error:
            raise BackendError(f"{name} cannot be opened: {said(error)}") from None

    def _find(self, name: TokenName) -> Any:
        if self._library is None:
            try:
                self._library = pkcs11.lib(self._path)
            except PKCS11Error as error:
                raise BackendError(f"the PKCS#11 module cannot be used: {said(error)}") from None
        serial = name.serial.encode() if name.serial else None
        try:
            return self._library.get_token(token_label=name.label, token_serial=serial)
        except exceptions.MultipleTokensReturned:
            raise BackendError(f"{name} is there more than once: name its serial, too") from None

    def _open(self, token: Any, name: TokenName, pin: str) -> Any:
        slot = token.slot.slot_id
        if slot not in self._logins:  # else it is open by another of its names
            if (token.serial, pin) in self._refused:
                raise BackendError(
                    f"{name} has refused this PIN: it is not tried again before a restart or another PIN"
                )
            if token.flags & (TokenFlag.USER_PIN_LOCKED | TokenFlag.USER_PIN_FINAL_TRY):
                raise BackendError(
                    f"{name} is locked or one wrong PIN away from it: log in once with the token's own program"
                )
            try:
                session = token.open(user_pin=pin)
            except _WRONG_PIN:
                self._refused.add((token.serial, pin))
                if not self._logins:
                    self._close()  # a session whose login failed can be closed in no other way
                raise BackendError(
                    f"{name} has refused the PIN: tokens lock after a few wrong ones, so make sure of it first"
                ) from None
            self._logins[slot] = _Login(session, pin)
        self._slots[name] = slot
        return self._logins[slot].session

    def _close(self) -> None:
        self._slots.clear()
        self._logins.clear()
        library, self._library = self._library, None
        if library is not None:
            with suppress(PKCS11Error):  # it was lost; the next C_Initialize will tell
                library.finalize()


_modules: dict[str, Module] = {}


def module_at(path: str) -> Module:
    """The process' one module at this path."""
    return _modules.get(path) or _modules.setdefault(path, Module(path))


def said(error: PKCS11Error) -> str:
    """A token's error in a few words: the return code's name, and the library's text where there is one."""
    return f"{type(error).__name__} {error}".strip()
