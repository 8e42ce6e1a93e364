"""What it cost, what it was made from, how to make it again, and what the figures cannot tell."""

from __future__ import annotations

from winnow.report import words
from winnow.report.limits import limits
from winnow.report.markup import Html, tag
from winnow.report.schema import Report, RungResult


def limits_section(report: Report) -> Html:
    """The sentences of `winnow.report.limits`."""
    return tag(
        "section",
        tag("h2", "What these figures cannot tell you", id="limits"),
        tag("ul", *(tag("li", said) for said in limits(report)), class_="limits"),
    )


def cost_section(report: Report) -> Html:
    """Seconds, energy, size and speed of every rung, and the totals of the climb."""
    columns = ("Time", "Energy", "Model size", "One picture")
    head = [tag("th", "Method", scope="col"), *(tag("th", c, scope="col", class_="figure") for c in columns)]
    tried = [rung for rung in report.ladder if rung.seconds is not None]
    rows = [_cost_row(rung) for rung in tried]
    total = tag(
        "tr",
        tag("th", "Whole climb", scope="row"),
        tag("td", words.duration(report.climb.seconds), class_="figure"),
        tag("td", words.energy(report.climb.joules), class_="figure"),
        tag("td", class_="figure"),
        tag("td", class_="figure"),
    )
    return tag(
        "section",
        tag("h2", "What it cost", id="cost"),
        tag(
            "p",
            f"Energy: {report.climb.energy_method}. “One picture” is the time through the whole model on one "
            "processor core, reading the file not counted.",
            class_="hint",
        ),
        tag(
            "div",
            tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows), tag("tfoot", total)),
            class_="scroll",
        ),
    )


def dataset_section(report: Report) -> Html:
    """How many pictures of each class lie in which split."""
    splits = report.dataset.splits
    head = [tag("th", "Class", scope="col"), *(tag("th", s, scope="col", class_="figure") for s in splits)]
    rows = [
        tag(
            "tr",
            tag("th", tag("bdi", name), scope="row"),
            *(tag("td", words.number(counts.get(s, 0)), class_="figure") for s in splits),
        )
        for name, counts in report.dataset.counts.items()
    ]
    sums = [report.dataset.pictures_in(split) for split in splits]
    total = tag("tr", tag("th", "Total", scope="row"), *(tag("td", words.number(n), class_="figure") for n in sums))
    table = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows), tag("tfoot", total))
    said = (
        f"{words.count(sum(sums), 'picture')} of {words.count(len(report.dataset.classes), 'class', 'classes')}, "
        f"dataset {report.dataset.name}, version {report.dataset.version}."
    )
    folded = tag("details", tag("summary", "Pictures by class and split"), tag("div", table, class_="scroll tall"))
    return tag("section", tag("h2", "What it learned from", id="dataset"), tag("p", said), folded)


def reproduce_section(report: Report) -> Html:
    """The command, the seed, the versions and the machine."""
    climb = report.climb
    facts: list[tuple[str, object]] = [
        ("Command", tag("pre", tag("code", climb.command), tabindex="0")),
        ("Seed", climb.seed),
        ("Budget", "none" if climb.budget_s is None else words.duration(climb.budget_s)),
        ("Optimised", f"{words.term(climb.optimise, report.task)}, preferring the {climb.prefer}"),
        ("Dataset", tag("code", report.dataset.digest)),
        ("Climb", f"{climb.id}, started {climb.started}"),
        ("Winnow", climb.winnow_version),
        ("Libraries", ", ".join(f"{name} {version}" for name, version in climb.libraries.items())),
        ("Machine", ", ".join(f"{name}: {value}" for name, value in climb.machine.items())),
    ]
    settings = [rung for rung in report.ladder if rung.is_chosen and rung.settings]
    for rung in settings:
        facts.append(("Settings", ", ".join(f"{name}: {_setting(v)}" for name, v in rung.settings.items())))
    rows = [part for name, value in facts for part in (tag("dt", name), tag("dd", value))]
    return tag("section", tag("h2", "How to get the same again", id="reproduce"), tag("dl", *rows))


def _cost_row(rung: RungResult) -> Html:
    def cell(written: str | None) -> Html:
        return tag("td", "–" if written is None else written, class_="figure")

    return tag(
        "tr",
        tag("th", rung.title, tag("span", "chosen", class_="mark chosen") if rung.is_chosen else None, scope="row"),
        cell(None if rung.seconds is None else words.duration(rung.seconds)),
        cell(None if rung.joules is None else words.energy(rung.joules)),
        cell(None if rung.graph_bytes is None else words.size(rung.graph_bytes)),
        cell(None if rung.picture_ms is None else words.milliseconds(rung.picture_ms)),
    )


def _setting(value: str | float | int | bool) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
