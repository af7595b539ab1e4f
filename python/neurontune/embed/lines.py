"""Names of samples as lines of ids.txt."""

import re

# Controls (C0, C1), characters that turn the direction of writing, and what stands for bytes that
# are not UTF-8; then a backslash that would be read as the start of an escape.
_ESCAPED = re.compile("[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
                      r"|\\(?=x(?:[01][0-9A-F]|7F|5C|[89A-F][0-9A-F]))")


def as_line(name: str) -> str:
    r"""A line that is read back as the same name.

    Every byte that cannot stand in a line is written as ``\x`` and two hexadecimal digits.

    Parameters
    ----------
    name
        A name, as Python decodes those of files.
    """
    return _ESCAPED.sub(_escape, name) + "\n"


def _escape(match: re.Match[str]) -> str:
    try:
        encoded = match[0].encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a lone surrogate that stands for no byte
        encoded = match[0].encode("utf-8", "surrogatepass")
    return "".join(f"\\x{byte:02X}" for byte in encoded)
