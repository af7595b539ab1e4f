"""Imports a framework when it is needed, and says what to install where it is absent."""

import importlib
from types import ModuleType


class MissingFramework(ImportError):
    """A framework is not installed, or cannot be imported."""


def load(name: str, install: str) -> ModuleType:
    """Imports a module of a framework.

    Parameters
    ----------
    name
        Of the module, such as ``timm.data``.
    install
        What installs it, such as ``pip install timm``.

    Raises
    ------
    MissingFramework
        With one line that says what to install.
    """
    package = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or package).partition(".")[0]
        raise MissingFramework(f"{missing} is not installed; run: {install}") from error
    # A build for another PyTorch fails in many ways, torchvision's with a RuntimeError.
    except (ImportError, RuntimeError, OSError) as error:
        raise MissingFramework(f"{package} cannot be imported ({str(error).splitlines()[0]}); "
                               f"does its build fit the installed PyTorch?") from error
