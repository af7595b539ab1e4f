"""report.html: what it says, that it needs nothing else, and how a browser shows it."""

import html.parser
import json
import re
import shutil
import subprocess
import unittest

import torch
from torch import nn

from cli_test_case import QUICK, CliTest
from fixture import load_file, save_file, succeed, without_clock

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SECTIONS = ["groups", "samples", "neurons", "scores", "selection", "settings"]
VOID = {"meta", "link", "img", "br"}


class Reader(html.parser.HTMLParser):
    """A page's elements, and that they are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.charts, self.images, self.text = [], [], [], [], []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "svg":
            self.charts.append([])
        elif "svg" in self.open:
            self.charts[-1].append(tag)
        if tag == "img":
            self.images.append(dict(attributes))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()  # it ends at once

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)


class ReportCase(CliTest):
    def page(self, *arguments, out=None):
        out = out or self.out()
        succeed(*arguments, "--out", out)
        return (out / "report.html").read_text()

    def of_model(self, *more):
        return self.page("run", "--model", self.model, "--data", self.data, *QUICK, *more)

    def of_embeddings(self, *more, embeddings=None):
        return self.page("run", "--embeddings", embeddings or self.embeddings, *QUICK, *more)

    def comparison(self):
        return self.page("compare", "--embeddings", self.embeddings, "--methods", "erm,llr,neurontune,dfr_val", "--seeds", 2,
                         *QUICK)

    def ablation(self, *sweeps):
        flags = [flag for sweep in sweeps for flag in ("--sweep", sweep)]
        return self.page("ablate", "--embeddings", self.embeddings, "--recipe", "paper", *QUICK, *flags)


class Text(nn.Module):
    """Two classes of sentences of five tokens."""

    def __init__(self):
        super().__init__()
        self.words, self.fc = nn.Embedding(8, 6), nn.Linear(6, 2)

    def forward(self, input_ids, attention_mask):
        return self.fc(torch.relu((self.words(input_ids) * attention_mask.unsqueeze(2)).mean(1)))


class Report(ReportCase):
    def test_tokens_show_as_text(self):
        torch.manual_seed(0)
        folder = self.out()
        for split in ("train", "val"):
            ids = torch.randint(2, 8, (80, 5))
            ids[:, 0] = 0
            mask = torch.ones(80, 5, dtype=torch.long)
            mask[:, 4] = 0
            save_file({"input_ids": ids, "attention_mask": mask, "labels": torch.arange(80) % 2},
                      folder / f"{split}.safetensors")
        ones = torch.ones(2, 5, dtype=torch.long)
        torch.jit.trace(Text().eval(), (ones, ones)).save(str(folder / "text.pt"))
        vocabulary = folder / "vocab.txt"
        vocabulary.write_text("[CLS]\n[PAD]\n<water>\n##bird\nis\nland\nwhite\nsmall\n")
        run = ["run", "--model", folder / "text.pt", "--data", folder, *QUICK]
        self.assertNotIn("&lt;water&gt;", self.page(*run))
        page = self.page(*run, "--vocabulary", vocabulary)
        Reader(page)
        texts = re.findall('<span class="text">([^<]*)</span>', page)
        self.assertGreater(len(texts), 10)
        words = {word for text in texts for word in text.split()}
        self.assertIn("&lt;water&gt;bird", words)
        self.assertNotIn("[CLS]", words)
        self.assertTrue(all(len(text.split()) <= 3 for text in texts), "the mask leaves the last token out")
        out = self.out()
        self.assert_fails(1, "missing.txt", *run, "--vocabulary", folder / "missing.txt", "--out", out)
        self.assertFalse((out / "result.json").exists())

    def test_epochs_have_the_worst_inferred_group(self):
        out = self.out()
        page = self.page("run", "--embeddings", self.embeddings, *QUICK, out=out)
        stored = json.loads((out / "report.json").read_text())
        figures = stored["worst_inferred_group_of_epochs"]
        self.assertEqual(len(figures), len(stored["worst_group_of_epochs"]))
        self.assertTrue(all(0 <= figure <= 1 for figure in figures))
        self.assertIn("worst inferred group (an estimate)", page)
    def test_groups_that_are_known_are_not_called_inferred(self):
        page = self.of_embeddings("--criterion", "worst_group")
        self.assertIn("Accuracy in each group of held-out data", page)
        self.assertNotIn("inferred group of held-out data", page)
        self.assertNotIn("No attribute was seen", page)
        self.assertNotIn("worst inferred group", page)

    def test_the_page_of_a_run_has_every_section_and_its_figures(self):
        page = self.of_embeddings()
        reader = Reader(page)
        self.assertEqual([attributes["id"] for tag, attributes in reader.tags if tag == "section"], SECTIONS)
        for chart in reader.charts:
            self.assertTrue({"circle", "rect", "polyline"} & set(chart), chart)
        self.assertEqual(sum(tag == "figure" for tag, _ in reader.tags), len(reader.charts))
        self.assertEqual(page.count("<summary>The numbers</summary>"), len(reader.charts))

    def test_its_figures_are_those_of_result_json(self):
        out = self.out()
        page = self.page("run", "--embeddings", self.embeddings, *QUICK, out=out)
        text = " ".join(Reader(page).text)
        result = json.loads((out / "result.json").read_text())
        for head in ("erm", "tuned"):
            block = result[head]["test"]
            for figure in [block["worst_group_accuracy"], block["mean_accuracy"], block["adjusted_mean_accuracy"],
                           *(group["accuracy"] for group in block["groups"])]:
                self.assertIn(f"{100 * figure:.1f} %", text)
        for warning in result["warnings"]:
            self.assertIn(warning, text)

    def test_the_interval_of_a_small_group_is_wide(self):
        page = self.of_embeddings()
        widths = {}
        for samples, low, high in re.findall(
                r"<td>(\d+) samples?</td><td>[\d.]+ % \(([\d.]+)–([\d.]+)\)</td>", page):
            widths.setdefault(int(samples), []).append(float(high) - float(low))
        self.assertTrue(widths)
        for samples, found in widths.items():
            self.assertLess(max(found), 100 * 2 * 1.96 * 0.5 / samples**0.5 + 2, samples)

    def test_it_needs_no_other_file(self):
        for page in (self.of_model(), self.comparison(), self.ablation("identify.mask_value=0,1")):
            for tag, attributes in Reader(page).tags:
                self.assertNotIn(tag, ("script", "iframe", "object"))
                for name in ("src", "href"):
                    self.assertRegex(attributes.get(name) or "#", "^(#|data:)", tag)
            self.assertNotIn("url(", page)
            self.assertNotIn("@import", page)

    def test_names_and_ids_are_escaped(self):
        nasty = '<script>alert("1")</script>&\'x'
        embeddings = self.copy(self.embeddings)
        (embeddings / "names.json").write_text(json.dumps({"labels": [nasty, "b"], "attributes": [nasty, "{{page_title}}"]}))
        rows = len(load_file(embeddings / "val.safetensors")["labels"])
        (embeddings / "val.ids.txt").write_text("".join(f"{nasty}{row}\n" for row in range(rows)))
        page = self.of_embeddings(embeddings=embeddings)
        self.assertNotIn("<script", page)
        self.assertIn("&lt;script&gt;", page)
        self.assertIn("{{page_title}}", page)
        Reader(page)

    def test_images_are_shown_unless_they_are_private(self):
        page, private = self.of_model(), self.of_model("--no-images")
        images = Reader(page).images
        self.assertGreater(len(images), 20)
        for image in images:
            self.assertTrue(image["src"].startswith("data:image/jpeg;base64,/9j/"), image["src"][:40])
        self.assertLess(len(page), 3_000_000)
        self.assertEqual(Reader(private).images, [])
        self.assertIn("images/val_", private)
        self.assertEqual(Reader(self.of_embeddings()).images, [])

    def test_the_same_bytes_but_for_the_clock(self):
        first, second = self.of_model(), self.of_model()
        self.assertIn('class="clock"', first)
        self.assertEqual(without_clock(first), without_clock(second))

    def test_report_makes_the_page_again(self):
        for arguments in (["run", "--model", self.model, "--data", self.data, *QUICK],
                          ["compare", "--embeddings", self.embeddings, "--methods", "erm", "--seeds", 1],
                          ["ablate", "--embeddings", self.embeddings, "--sweep", "tune.epochs=1,2", "--recipe", "paper"]):
            out = self.out()
            page = self.page(*arguments, out=out)
            (out / "report.html").unlink()
            self.assertEqual(succeed("report", out).strip(), str(out / "report.html"))
            self.assertEqual((out / "report.html").read_text(), page)

    def test_no_report(self):
        for arguments in (["run", "--embeddings", self.embeddings, *QUICK],
                          ["compare", "--embeddings", self.embeddings, "--methods", "erm", "--seeds", 1],
                          ["ablate", "--embeddings", self.embeddings, "--sweep", "tune.epochs=1", "--recipe", "paper"]):
            out = self.out()
            self.page(*arguments, out=out)
            succeed(*arguments, "--out", out, "--no-report")
            self.assertFalse((out / "report.html").exists(), "of the earlier one")
            self.assertFalse((out / "report.json").exists())
            succeed("report", out)  # with what is there
            Reader((out / "report.html").read_text())

    def test_report_of_what_is_no_result(self):
        self.assert_fails(1, "holds no results", "report", self.out())
        self.assert_fails(1, "holds no results", "report", self.out() / "none")
        out = self.out()
        self.page("run", "--embeddings", self.embeddings, *QUICK, out=out)
        (out / "result.json").write_text('{"recipe": 3}')
        self.assert_fails(1, "is not as neurontune writes it", "report", out)
        (out / "result.json").write_text("{")
        self.assert_fails(1, "is not JSON", "report", out)

    def test_a_page_of_somebody_else_is_kept(self):
        out = self.out()
        (out / "report.html").write_text("mine")
        self.assert_fails(1, "report.html: was not written by neurontune", "run", "--embeddings", self.embeddings, "--out", out)
        self.assertEqual((out / "report.html").read_text(), "mine")

    def test_without_attributes_groups_are_called_inferred(self):
        embeddings = self.copy(self.embeddings)
        for split in ("train", "val", "test"):
            tensors = load_file(embeddings / f"{split}.safetensors")
            save_file({name: tensors[name] for name in ("embeddings", "labels")}, embeddings / f"{split}.safetensors")
        text = " ".join(Reader(self.of_embeddings(embeddings=embeddings)).text)
        self.assertIn("true groups are not known", text)
        self.assertIn("an estimate", text)
        self.assertIn("that looks like", text)

    def test_the_recipe_paper_and_data_without_a_mistake(self):
        text = " ".join(Reader(self.of_embeddings("--recipe", "paper")).text)
        self.assertIn("the mistakes that the model was surest of", text)
        embeddings = self.copy(self.embeddings)
        head = load_file(embeddings / "head.safetensors")
        for split in ("train", "val", "test"):
            tensors = load_file(embeddings / f"{split}.safetensors")
            logits = tensors["embeddings"] @ head["weight"].T + head["bias"]
            tensors["labels"] = logits.argmax(1)
            save_file({"embeddings": tensors["embeddings"], "labels": tensors["labels"]}, embeddings / f"{split}.safetensors")
        text = " ".join(Reader(self.of_embeddings(embeddings=embeddings)).text)
        self.assertIn("nothing to compare", text)

    def test_pages_of_compare_and_ablate(self):
        page = self.comparison()
        self.assertEqual(len(Reader(page).charts), 1)
        self.assertIn("dfr_val (oracle)", page)
        self.assertEqual(Reader(page).charts[0].count("circle"), 4)
        page = self.ablation("identify.mask_value=0,0.5,1")
        self.assertEqual(len(Reader(page).charts), 1)
        self.assertIn("polyline", Reader(page).charts[0])
        page = self.ablation("identify.mask_value=0,1", "tune.epochs=1,2,3")
        self.assertEqual([chart.count("rect") for chart in Reader(page).charts], [6, 6])


@unittest.skipUnless(CHROMIUM, "no chromium on this machine: how a browser shows report.html is not tested")
class Browser(ReportCase):
    """The page in headless Chromium."""

    MEASURE = """<!doctype html><iframe id="f" width="%d" height="800" src="%s"></iframe><script>
    document.getElementById("f").onload = event => {
      const page = event.target.contentDocument, root = page.documentElement;
      const charts = [...page.querySelectorAll("svg")].map(svg =>
        [...svg.querySelectorAll("circle, rect, polyline")].filter(mark => {
          const box = mark.getBoundingClientRect(); return box.width > 0 || box.height > 0; }).length);
      const small = [...page.querySelectorAll("svg text")].filter(text =>
        text.getBoundingClientRect().height < 8).length;
      document.title = JSON.stringify({width: root.clientWidth, scroll: root.scrollWidth, charts, small,
        broken: [...page.images].filter(image => !image.naturalWidth).length,
        background: event.target.contentWindow.getComputedStyle(page.body).backgroundColor});
    };</script>"""

    def chromium(self, *arguments):
        profile = self.out()
        process = subprocess.run([CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
                                  "--allow-file-access-from-files", "--enable-logging=stderr", "--virtual-time-budget=8000",
                                  *map(str, arguments)], capture_output=True, text=True, timeout=110)
        self.assertEqual(process.returncode, 0, process.stderr[-2000:])
        return process

    def measured(self, page, width, *flags):
        folder = self.out()
        (folder / "report.html").write_text(page)
        (folder / "measure.html").write_text(self.MEASURE % (width, "report.html"))
        process = self.chromium("--dump-dom", *flags, f"file://{folder}/measure.html")
        console = [line for line in process.stderr.splitlines() if "CONSOLE" in line]
        self.assertEqual(console, [])
        title = re.search(r"<title>(.*?)</title>", process.stdout, re.DOTALL)
        return json.loads(html.unescape(title[1]))

    def test_charts_have_marks_and_nothing_scrolls_sideways(self):
        for page in (self.of_model(), self.comparison(), self.ablation("identify.mask_value=0,1", "tune.epochs=1,2"),
                     self.ablation("identify.mask_value=0,1")):
            for width in (400, 1200):
                found = self.measured(page, width)
                self.assertLessEqual(found["scroll"], found["width"], width)
                self.assertTrue(found["charts"] and all(found["charts"]), found)
                self.assertEqual((found["broken"], found["small"]), (0, 0))

    def test_dark_and_light(self):
        page = self.of_embeddings()
        light, dark = (self.measured(page, 800, f"--blink-settings=preferredColorScheme={scheme}")["background"]
                       for scheme in (1, 0))
        self.assertEqual(light, "rgb(255, 255, 255)")
        self.assertLess(max(map(int, re.findall(r"\d+", dark))), 60, dark)

    def test_no_request(self):
        folder = self.out()
        (folder / "report.html").write_text(self.of_model())
        log = folder / "net.json"
        self.chromium("--dump-dom", f"--log-net-log={log}", f"file://{folder}/report.html")
        urls = re.findall(r'"url":\s*"(https?:[^"]*)"', log.read_text())
        own = ("google", "gstatic", "chrome")  # what the browser asks for itself
        self.assertEqual([url for url in urls if not any(part in url for part in own)], [])


if __name__ == "__main__":
    unittest.main()
