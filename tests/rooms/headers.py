"""Whether a public header includes what it names, and nothing but LibTorch and the standard library."""
import re

INCLUDE = re.compile(r'^#include [<"]([^>"]+)[>"]', re.MULTILINE)
COMMENT = re.compile(r"//[^\n]*")
STRING = re.compile(r'"[^"\n]*"')
DECLARED = re.compile(r"^(?:struct|class|enum class)(?: NEURONTUNE_EXPORT)? (\w+)[^;\n]*\{|^using (\w+) =",
                      re.MULTILINE)

# A name → the header that has it; another that must include it may stand for it.
PROVIDED_BY = {
    r"at::Tensor\b": "ATen/core/Tensor.h",
    r"at::Generator\b": "ATen/core/Generator.h",
    r"at::Device\b": "c10/core/Device.h",
    r"at::ScalarType\b": "c10/core/ScalarType.h",
    r"std::array\b": "array",
    r"\bu?int(?:8|16|32|64)_t\b": "cstdint",
    r"std::filesystem\b": "filesystem",
    r"std::function\b": "functional",
    r"std::map\b": "map",
    r"std::(?:unique_ptr|shared_ptr)\b": "memory",
    r"std::optional\b": "optional",
    r"std::runtime_error\b": "stdexcept",
    r"std::(?:string\b|to_string\b)": "string",
    r"std::string_view\b": "string_view",
    r"std::(?:move|pair)\b": "utility",
    r"std::variant\b": "variant",
    r"std::vector\b": "vector",
}
IMPLIED_BY = {"c10/core/Device.h": "ATen/core/Tensor.h", "c10/core/ScalarType.h": "ATen/core/Tensor.h"}
FOREIGN = re.compile(r"^(?:ATen|c10|torch)/|^\w+$|^neurontune/")


def code_of(text):
    """A header without comments, text and its includes."""
    return STRING.sub('""', COMMENT.sub("", INCLUDE.sub("", text)))


def declared_in(headers):
    """A type's name → the header that defines it, of {header: text}."""
    return {name: header for header, text in headers.items()
            for names in DECLARED.findall(code_of(text)) for name in names if name}


def missing_includes(headers):
    """"header: names NAME, but does not include OTHER", of {header: text}."""
    found = []
    declared = declared_in(headers)
    for header, text in sorted(headers.items()):
        included, code = set(INCLUDE.findall(text)), code_of(text)
        for name, provider in PROVIDED_BY.items():
            if re.search(name, code) and not included & {provider, IMPLIED_BY.get(provider)}:
                found.append(f"{header}: names {name}, but does not include <{provider}>")
        forward = set(re.findall(r"^(?:class|struct) (\w+);", text, re.MULTILINE))
        for name in sorted(set(re.findall(r"\b[A-Z]\w+\b", code)) & set(declared) - forward):
            if declared[name] != header and declared[name] not in included:
                found.append(f"{header}: names {name}, but does not include {declared[name]}")
    return found


def foreign_includes(headers):
    """"header: includes OTHER" for what is of neither LibTorch, nor C++, nor this project."""
    return [f"{header}: includes {include}" for header, text in sorted(headers.items())
            for include in INCLUDE.findall(text) if not FOREIGN.match(include)]
