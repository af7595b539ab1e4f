"""The program of the C++ library, which the package holds: ``neurontune`` on the command line."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn


def main() -> NoReturn:
    """Becomes the program, with the same arguments."""
    package = Path(__file__).resolve().parent
    environment = dict(os.environ)
    if not (package.parent / "torch").is_dir():  # where the program looks for LibTorch
        spec = find_spec("torch")
        if spec is None or not spec.submodule_search_locations:
            sys.exit("error: torch is not installed; the program runs on its libraries")
        folders = [os.path.join(spec.submodule_search_locations[0], "lib")]
        folders += filter(None, [environment.get("LD_LIBRARY_PATH")])
        environment["LD_LIBRARY_PATH"] = os.pathsep.join(folders)
    program = package / "bin" / "neurontune"
    os.execve(program, ["neurontune", *sys.argv[1:]], environment)


if __name__ == "__main__":
    main()
