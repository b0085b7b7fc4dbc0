"""`parcours conform`: does a server keep Segment's tracking contract, one line a rule."""

from __future__ import annotations

import click
from rich.console import Console
from rich.markup import escape

from parcours.cli.output import Bars, print_faults, print_json, print_lines, write_number
from parcours.collect.conform import SECTIONS, Asked, Line, Report, conform
from parcours.errors import ParcoursError
from parcours.words import Words

MARKS = {
    "pass": Words("conforme", "pass"),
    "fail": Words("ÉCART", "FAIL"),
    "skip": Words("non testé", "skip"),
    "advised": Words("conseil", "advise"),
}
COLOURS = {"pass": "green", "fail": "red", "skip": "dim", "advised": "yellow"}
SENT, CAME = Words("envoyé :", "sent:"), Words("reçu :", "came:")
CONTRACT, WHERE = Words("contrat :", "contract:"), Words("où :", "where:")
CONFORMS, BROKEN = Words("est conforme", "conforms"), Words("n'est pas conforme", "does not conform")


@click.command("conform")
@click.argument("url")
@click.option("--write-key", envvar="PARCOURS_WRITE_KEY", help="Key of a test source; also PARCOURS_WRITE_KEY.")
@click.option(
    "--profile",
    type=click.Choice(["segment", "rudderstack", "jitsu", "all"]),
    default="segment",
    show_default=True,
    help="Whose clients must be served.",
)
@click.option("--only", multiple=True, metavar="RULE", help="This rule alone, or a pattern: 'auth.*'. Repeatable.")
@click.option("--section", "sections", multiple=True, type=click.Choice(list(SECTIONS)), help="Repeatable.")
@click.option("--timeout", "timeout_s", default=10.0, show_default=True, type=click.FloatRange(0.05, 600), metavar="S")
@click.option("--read-back", metavar="URL", help="Where events can be read back: see the documentation.")
@click.option("--read-back-token", envvar="PARCOURS_READ_BACK_TOKEN", metavar="TOKEN")
@click.option("--read-back-wait", "wait_s", default=10.0, show_default=True, type=click.FloatRange(0, 600), metavar="S")
@click.option("--json", "as_json", is_flag=True, help="url, profile, conforms, counts, sections, rules.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(
    url: str,
    write_key: str | None,
    profile: str,
    only: tuple[str, ...],
    sections: tuple[str, ...],
    timeout_s: float,
    read_back: str | None,
    read_back_token: str | None,
    wait_s: float,
    as_json: bool,
    quiet: bool,
) -> int:
    """Try the server at URL; exit 0 when it conforms, 1 when not, 2 when nothing could be tested."""
    asked = Asked(
        url=url,
        write_key=write_key,
        profile=profile,  # type: ignore[arg-type]  # click has checked it
        only=only,
        sections=sections,
        timeout_s=timeout_s,
        read_back=read_back,
        read_back_token=read_back_token,
        read_back_wait_s=wait_s,
    )
    progress = Bars(quiet or as_json)
    try:
        report = conform(asked, progress)
    except ParcoursError as error:
        print_faults(error.faults)
        if as_json:
            print_json({"faults": error.faults})
        return 2
    finally:
        progress.end()
    if as_json:
        print_json(report)
    else:
        print_report(report)
    return 0 if report.conforms else 1


def print_report(report: Report) -> None:
    """Print a line a rule under its section, then the counts, then the verdict."""
    console = Console(highlight=False, soft_wrap=True)
    width = max(len(str(mark)) for mark in MARKS.values())
    names = max((len(line.id) for line in report.rules), default=0)
    for section in report.sections:
        label = str(section.label)
        console.print(f"[bold]{section.section}[/]" + (f" · {label}" if label != section.section else ""))
        for line in report.rules:
            if line.section == section.section:
                console.print(write_line(line, width, names))
        console.print()
    print_lines(write_counts(report))


def write_line(line: Line, width: int, names: int) -> str:
    """Return one rule: verdict, id, what was sent, what came, what the contract says, where it says so."""
    kind = "advised" if line.verdict == "fail" and line.level == "advised" else line.verdict
    mark = f"[{COLOURS[kind]}]{str(MARKS[kind]).ljust(width)}[/]"
    came = line.reason if line.verdict == "skip" else line.came
    told = f"{SENT} {line.sent} | {CAME} {came} | {CONTRACT} {line.contract} | {WHERE} {line.source}"
    return f"{mark}  {line.id.ljust(names)}  {escape(told)}"


def write_counts(report: Report) -> list[str]:
    """Return the counts by section and the verdict."""
    heads = [str(word) for word in (MARKS["pass"], MARKS["fail"], MARKS["advised"], MARKS["skip"])]
    wide = max((len(section.section) for section in report.sections), default=0)
    lines = [" ".join([" " * wide, *(head.rjust(9) for head in heads)])]
    for section in report.sections:
        figures = (section.passed, section.failed, section.advised, section.skipped)
        lines.append(" ".join([section.section.ljust(wide), *(write_number(figure).rjust(9) for figure in figures)]))
    counts = [write_number(count) for count in (report.passed, report.failed, report.advised, report.skipped)]
    seconds = write_number(report.seconds, 1)
    verdict = CONFORMS if report.conforms else BROKEN
    tail = Words(
        f"{report.url} {verdict.fr} (profil {report.profile}). Règles suivies : {counts[0]} ; écarts : {counts[1]} ; "
        f"conseils : {counts[2]} ; non testées : {counts[3]} ; {seconds} s.",
        f"{report.url} {verdict.en} (profile {report.profile}). Rules kept: {counts[0]}; broken: {counts[1]}; "
        f"advised: {counts[2]}; not tested: {counts[3]}; {seconds} s.",
    )
    return [*lines, "", str(tail)]
