"""The directive `.. header:: neurontune/repair/repair.h`: all that a header declares, in its order.

Breathe renders each name; its own directive for files would repeat the namespace around them.
"""
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

DIRECTIVES = {"enum": "doxygenenum", "function": "doxygenfunction", "typedef": "doxygentypedef",
              "variable": "doxygenvariable", "define": "doxygendefine",
              "struct": "doxygenstruct", "class": "doxygenclass"}


def compounds(xml):
    """The root of each of Doxygen's files but the index."""
    for entry in ElementTree.parse(xml / "index.xml").iter("compound"):
        yield ElementTree.parse(xml / f"{entry.get('refid')}.xml").find("compounddef")


def signature(member):
    """As doxygenfunction tells overloads apart."""
    name = member.findtext("qualifiedname") or member.findtext("name")
    if member.get("kind") != "function":
        return name
    types = ("".join(parameter.find("type").itertext()) for parameter in member.iter("param"))
    return f"{name}({', '.join(types)})"


def declared(xml, header):
    """(line, kind, name) of all that a header declares outside of classes."""
    for compound in compounds(xml):
        if compound.get("kind") in ("struct", "class"):
            place, name = compound.find("location"), compound.findtext("compoundname")
            if place.get("file") == header and name.count("::") == 1:
                yield int(place.get("line")), compound.get("kind"), name
        elif compound.get("kind") in ("namespace", "file"):
            for member in compound.iter("memberdef"):
                place = member.find("location")
                if place.get("file") == header:
                    yield int(place.get("line")), member.get("kind"), signature(member)


class Header(SphinxDirective):
    required_arguments = 1

    def run(self):
        header = self.arguments[0]
        names = sorted(declared(Path(self.config.breathe_projects["neurontune"]), header))
        if not names:
            raise ExtensionError(f"{self.env.docname}: Doxygen found nothing in {header}")
        lines = []
        for _, kind, name in names:
            lines += [f".. {DIRECTIVES[kind]}:: {name}"]
            lines += ["   :members:"] if kind in ("struct", "class") else []
            lines += [""]
        return self.parse_text_to_nodes("\n".join(lines))


def setup(app):
    app.add_directive("header", Header)
    return {"parallel_read_safe": True}
