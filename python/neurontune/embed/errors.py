"""Errors of code that is not ours, which are of any kind, have many lines and name nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

from .framework import MissingFramework

_LONGEST = 500  # characters
# Kinds whose message says enough; a KeyError's, say, is only the key.
_TELLING = (ValueError, TypeError, OSError, RuntimeError, ImportError)


@contextmanager
def naming(what: object) -> Iterator[None]:
    """Any error within becomes a ValueError of one line, which starts with `what` it is about."""
    try:
        yield
    except MissingFramework:
        raise
    except Exception as error:
        text = getattr(error, "strerror", None) or one_line(error)
        raise ValueError(f"{what}: {text}") from error


def one_line(error: BaseException) -> str:
    """All lines as one, since what went wrong is in any of them; the kind where it tells more."""
    text = " ".join(str(error).split())
    if not text:
        text = type(error).__name__
    elif not isinstance(error, _TELLING):
        text = f"{type(error).__name__}: {text}"
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
