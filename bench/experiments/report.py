"""What an experiment hands back: tables to print, and what they were made of."""
import dataclasses
import statistics


@dataclasses.dataclass
class Table:
    headings: list
    rows: list  # of texts, as many as headings
    note: str = ""  # a sentence below

    def as_markdown(self):
        lines = [self.headings, ["---"] * len(self.headings), *self.rows]
        text = "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
        return f"{text}\n\n{self.note}\n" if self.note else f"{text}\n"

    def as_json(self):
        return dataclasses.asdict(self)


@dataclasses.dataclass
class Report:
    tables: list
    raw: object  # what JSON can hold


@dataclasses.dataclass
class Experiment:
    question: str
    run: object  # Workbench → Report
    makes_its_data: bool = False  # and then takes no --embeddings


def mean_and_deviation(values, digits=3):
    """"0.512 ± 0.041" over the values that there are; a single one has no deviation."""
    values = [value for value in values if value is not None]
    if not values:
        return "–"
    text = f"{statistics.fmean(values):.{digits}f}"
    return text if len(values) == 1 else f"{text} ± {statistics.stdev(values):.{digits}f}"


def share(values):
    """"93 %", the mean of fractions."""
    values = [value for value in values if value is not None]
    return f"{100 * statistics.fmean(values):.0f} %" if values else "–"


def by_group(sets):
    """The groups in order, each with the places of its sets."""
    places = {}
    for place, one in enumerate(sets):
        places.setdefault(one.group, []).append(place)
    return places
