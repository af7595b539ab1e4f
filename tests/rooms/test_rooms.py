"""The rooms of the source: who includes whom, and that each says what it is for."""
import tempfile
import unittest
from pathlib import Path

import rooms

ROOT = Path(__file__).resolve().parents[2]


class Rooms(unittest.TestCase):
    def test_every_include_is_allowed(self):
        self.assertEqual(rooms.wrong_includes(ROOT), [])

    def test_no_arrow_runs_upwards_in_the_table(self):
        above = set()
        for room, names in rooms.MAY_INCLUDE.items():
            self.assertLessEqual(set(names.split()), above, room)
            above.add(room)

    def test_every_entry_of_the_table_is_used(self):
        used = {(room, rooms.room_of(include)) for room, path in rooms.files(ROOT)
                for include in rooms.INCLUDE.findall(path.read_text())}
        for room, names in rooms.MAY_INCLUDE.items():
            for name in names.split():
                self.assertIn((room, name), used, "an entry that nothing needs")

    def test_every_room_has_a_readme_that_says_what_it_may_include(self):
        for room, names in rooms.MAY_INCLUDE.items():
            text = (ROOT / "src" / room / "README.md").read_text()
            lines = text.strip().split("\n")
            self.assertEqual(lines[0], f"# {room}")
            self.assertTrue(5 <= len(lines) <= 15, room)
            said = ", ".join(names.split()) or "no other room"
            self.assertIn(f" May include: {said}. ", text.replace("\n", " "), room)

    def test_files_named_in_a_readme_exist(self):
        for room in rooms.MAY_INCLUDE:
            for name in rooms.named_files((ROOT / "src" / room / "README.md").read_text()):
                places = [ROOT / folder / room / name for folder in rooms.FOLDERS]
                self.assertTrue(any(place.exists() for place in places), f"{room}: {name}")

    def test_a_wrong_include_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for path, text in {
                "src/base/a.cpp": '#include "neurontune/method/b.h"\n#include <vector>\n',
                "src/method/b.cpp": '#include "base/a.h"\n#  include "neurontune/pipeline/c.h"\n',
                "include/neurontune/other/d.h": "",
                "src/e.cpp": "",
            }.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            self.assertEqual(rooms.wrong_includes(root), [
                "src/base/a.cpp: base may not include neurontune/method/b.h",
                "src/e.cpp: is in no room of the table",
                "src/method/b.cpp: method may not include neurontune/pipeline/c.h",
                "include/neurontune/other/d.h: is in no room of the table",
            ])


if __name__ == "__main__":
    unittest.main()
