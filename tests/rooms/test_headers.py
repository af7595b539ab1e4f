"""The public headers: each includes what it names, and needs LibTorch alone."""
import re
import unittest
from pathlib import Path

import headers

INCLUDE = Path(__file__).resolve().parents[2] / "include"
PUBLIC = {path.relative_to(INCLUDE).as_posix(): path.read_text() for path in INCLUDE.rglob("*.h")}


class Headers(unittest.TestCase):
    def test_each_includes_what_it_names(self):
        self.assertEqual(headers.missing_includes(PUBLIC), [])

    def test_they_need_only_libtorch(self):
        self.assertGreater(len(PUBLIC), 50)
        self.assertEqual(headers.foreign_includes(PUBLIC), [])

    def test_none_names_json_or_fmt(self):
        for header, text in PUBLIC.items():
            self.assertNotRegex(text, "nlohmann|fmt::|spdlog", header)

    def test_each_is_on_one_page_of_the_reference(self):
        pages = (INCLUDE.parent / "docs/api/cpp").glob("*.rst")
        shown = [header for page in pages
                 for header in re.findall(r"^\.\. header:: (\S+)$", page.read_text(), re.MULTILINE)]
        self.assertEqual(sorted(shown), sorted(PUBLIC))

    def test_what_is_missing_is_found(self):
        self.assertEqual(
            headers.missing_includes({
                "neurontune/a.h": "struct NEURONTUNE_EXPORT Alpha {\n  std::vector<int> b;\n};\n",
                "neurontune/b.h": '#include <vector>\n\nstruct Whole;\nstruct D {\n  Alpha f(Whole*);  // std::string, B\n};\n',
                "neurontune/c.h": '#include "neurontune/a.h"\n\nusing B = Alpha;\n',
            }),
            ["neurontune/a.h: names std::vector\\b, but does not include <vector>",
             "neurontune/b.h: names Alpha, but does not include neurontune/a.h"])

    def test_what_is_foreign_is_found(self):
        self.assertEqual(headers.foreign_includes({"a.h": "#include <nlohmann/json.hpp>\n#include <map>\n"}),
                         ["a.h: includes nlohmann/json.hpp"])


if __name__ == "__main__":
    unittest.main()
