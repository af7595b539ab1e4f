"""Which room may include which: a room is a folder of include/neurontune and src."""
import re
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
FOLDERS = ("src", "include/neurontune")
OF_NO_ROOM = {"neurontune/export.h", "neurontune/version.h"}  # the latter is made by CMake

# From the bottom up. A room may include itself and those named here, all of which come before it.
MAY_INCLUDE = {
    "base": "",
    "device": "",
    "numerics": "base",
    "metrics": "base",
    "core": "base numerics metrics",
    "method": "base device numerics metrics core",
    "shortcut": "base numerics core",
    "baselines": "base numerics metrics core method",
    "repair": "base numerics metrics core method shortcut",
    "io": "base",
    "data": "base metrics core io",
    "model": "base device core io",
    "report": "base metrics method repair io data model",
    "pipeline": "base device metrics core method shortcut repair io data model report",
    "compare": "base metrics core shortcut baselines repair io data report pipeline",
    "demo": "base io data model",
}


def named_files(text):
    """The source files that a text names in backticks."""
    return re.findall(r"`(\w+\.(?:h|cpp))`", text)


def files(root):
    """(room, path) of every C++ file of the library; the room of a file outside of any is ''."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cpp"):
                parts = path.relative_to(root / folder).parts
                if f"neurontune/{parts[0]}" not in OF_NO_ROOM:
                    yield parts[0] if len(parts) > 1 else "", path


def room_of(include):
    """The room that an #include names; '' for a file outside of any."""
    parts = include.removeprefix("neurontune/").split("/")
    return parts[0] if len(parts) > 1 else ""


def wrong_includes(root, may_include=MAY_INCLUDE):
    """What is not allowed, a line each."""
    found = []
    for room, path in files(root):
        if room not in may_include:
            found.append(f"{path.relative_to(root)}: is in no room of the table")
            continue
        allowed = {room, *may_include[room].split()}
        for include in INCLUDE.findall(path.read_text()):
            if include not in OF_NO_ROOM and room_of(include) not in allowed:
                found.append(f"{path.relative_to(root)}: {room} may not include {include}")
    return found
