"""What Jenkins' junit-10.xsd and Surefire's surefire-test-report.xsd require of a JUnit file, of the elements and
attributes that neurontune writes."""

import re
import xml.etree.ElementTree as ElementTree

COUNT = re.compile(r"\d+")
SECONDS = re.compile(r"\d+(\.\d+)?")

# element → (attributes that must be there, others that may be, elements that it may hold)
SCHEMA = {
    "testsuites": ({"tests": COUNT, "failures": COUNT, "errors": COUNT}, {"name": None, "time": SECONDS}, {"testsuite"}),
    "testsuite": ({"name": None, "tests": COUNT, "failures": COUNT, "errors": COUNT, "skipped": COUNT},
                  {"time": SECONDS, "timestamp": None, "hostname": None}, {"testcase"}),
    "testcase": ({"name": None, "classname": None, "time": SECONDS}, {}, {"failure"}),
    "failure": ({"message": None, "type": None}, {}, set()),
}


def check(element, known=SCHEMA):
    required, optional, children = known[element.tag]
    allowed = required | optional
    assert set(required) <= set(element.attrib), (element.tag, element.attrib)
    for name, value in element.attrib.items():
        assert name in allowed, (element.tag, name)
        assert allowed[name] is None or allowed[name].fullmatch(value), (element.tag, name, value)
    for child in element:
        assert child.tag in children, (element.tag, child.tag)
        check(child, known)
    if element.tag == "testcase":
        assert len(element) <= 1, "one outcome a case"
    elif element.tag in ("testsuite", "testsuites"):
        cases = list(element.iter("testcase"))
        assert int(element.get("tests")) == len(cases)
        assert int(element.get("failures")) == sum(case.find("failure") is not None for case in cases)
        assert int(element.get("errors")) == 0
    if element.tag != "failure":
        assert not (element.text or "").strip(), "text belongs into a failure"


def read(path):
    """The cases of a valid file: name → the message of its failure, or None."""
    root = ElementTree.fromstring(path.read_bytes())
    assert root.tag == "testsuites"
    check(root)
    return {case.get("name"): case.find("failure").get("message") if case.find("failure") is not None else None
            for case in root.iter("testcase")}
