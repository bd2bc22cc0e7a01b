"""Collecting what is wrong, so that an operator sees all of it at once."""

from collections.abc import Iterator
from types import TracebackType

from wsprovider.words.errors import ConfigurationError, Problem


class Problems:
    """Problems in the order in which they were found, each once.

    A mistake in a service's own table concerns all of its endpoints and is met once for each; it is
    one mistake all the same.
    """

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def add(self, where: str, what: str) -> None:
        """Note one problem."""
        self._found.setdefault(Problem(where, what))

    def collecting(self, remark: str | None = None) -> "Collecting":
        """A ``with`` block that takes the problems of a ConfigurationError raised inside, and goes on.

        Args:
            remark: put in brackets after each, for code that does not know whom it works for.
        """
        return Collecting(self, remark)

    def raise_any(self) -> None:
        """End the reading if anything was found.

        Raises:
            ConfigurationError: with everything found.
        """
        if self._found:
            raise ConfigurationError(tuple(self._found))


class Collecting:
    """See :meth:`Problems.collecting`."""

    def __init__(self, problems: Problems, remark: str | None) -> None:
        self._problems = problems
        self._remark = f" ({remark})" if remark else ""

    def __enter__(self) -> None:
        """Nothing is collected yet."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Take what a ConfigurationError says; everything else goes its way."""
        if not isinstance(error, ConfigurationError):
            return False
        for problem in error.problems:
            self._problems.add(problem.where, problem.what + self._remark)
        return True
