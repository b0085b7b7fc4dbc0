"""The documentation: its commands run, its links lead somewhere, and README shows what the demo really prints."""

from __future__ import annotations

import io
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import call
from tests.collect.http.collector import KEY, Collector
from tests.loan_log import make_loans

from parcours.know import Access
from parcours.measure import MEASURES
from parcours.progress import Silent
from parcours.settings import Settings
from parcours.simulate import make

__all__ = ["make_loans"]

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
COMMAND = re.compile(
    r"^(?:    |\$ )?(parcours (?:init|check|run|demo|show|export|serve|key|people|replay|timeline|survey|verify"
    r"|conform|may|audit|explain|unmerge|review|link|consent|forget|access|requests|retention|keys|audience) [^#\n]*)",
    re.MULTILINE,
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NEED_EVENTS = (
    *("show", "export", "timeline", "replay", "verify", "serve"),
    *("explain", "unmerge", "consent", "forget", "access"),
)
NAMES = ("acme", "mon-entreprise", "my-company")


def test_the_fault_that_the_guide_shows_is_the_one_that_check_prints(place: Path) -> None:
    assert call("init", "acme").returncode == 0
    path = place / "acme" / "blueprint.yaml"
    path.write_text(path.read_text("utf-8").replace("    stage: delivery", "    stage: delivry", 1), "utf-8")
    shown = re.findall(
        r"\$ parcours check acme\n(.*?)```", (ROOT / "docs/guides/write-a-blueprint.md").read_text("utf-8"), re.DOTALL
    )
    assert shown[0] in call("check", "acme").stderr


def commands_of(page: Path) -> list[str]:
    """Return the commands of a page: in fenced or indented code, one a line."""
    text = page.read_text("utf-8")
    shown = [block for language, block in FENCE.findall(text) if language in ("", "sh", "console", "text")]
    fenced = "\n".join(shown)
    indented = "\n".join(line for line in text.splitlines() if line.startswith("    parcours "))
    return [re.split(r"\s{2,}", found.strip())[0] for found in COMMAND.findall(f"{fenced}\n{indented}")]


DOCUMENTED = [
    (page, command)
    for command, page in {command: page for page in PAGES for command in commands_of(page)}.items()
    if "DIR" not in command
]
"""Each command once, with a page that holds it."""


def test_the_guides_and_readmes_hold_commands() -> None:
    assert len(DOCUMENTED) >= 10
    shown = {command.split()[1] for _, command in DOCUMENTED}
    assert shown >= {
        "init",
        "check",
        "run",
        "demo",
        "serve",
        "key",
        "replay",
        "timeline",
        "survey",
        "verify",
        "conform",
        "explain",
        "unmerge",
        "consent",
        "forget",
    }


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where ``acme`` and its like hold a small simulated firm and the examples lie beside."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns(".parcours"))
    return tmp_path


@pytest.fixture(scope="module")
def firms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small simulated firm twice: as it was made, and after a run."""
    folder = tmp_path_factory.mktemp("firms")
    make(folder / "made", 150, 1, Silent())
    shutil.copytree(folder / "made", folder / "run")
    assert call("run", folder / "run").returncode == 0
    return folder


@pytest.mark.parametrize(("page", "command"), DOCUMENTED, ids=[f"{p.relative_to(ROOT)}: {c}" for p, c in DOCUMENTED])
def test_each_command_runs(
    page: Path,
    command: str,
    place: Path,
    firms: Path,
    make_loans: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    words = shlex.split(command)[1:]
    if words[0] == "conform":
        done = call(*aim(words, request.getfixturevalue("collecting")))
        assert done.returncode in (0, 1), f"{page}: {command}\n{done.stderr}"
        assert "segment" in done.stdout
        return
    if words[0] == "survey":
        (place / "people.csv").write_text("user,order\nC-1042,O-7781\n", "utf-8")
    if words[0] != "init":
        for name in {*NAMES} & {*words}:
            shutil.copytree(firms / ("run" if words[0] in NEED_EVENTS else "made"), place / name)
    if words[:3] == ["key", "acme", "add"] and words[3] != "live":
        (place / f"acme/sources/{words[3]}.yaml").write_text(f"source: {words[3]}\nconnector: http\n", "utf-8")
    if words[0] == "people":
        let_in(place / words[1], words)
        monkeypatch.setattr(sys, "stdin", io.StringIO("le train part à midi pile\n"))
    if words[0] in NEED_EVENTS and not {*NAMES} & {*words}:
        assert call("run", words[1]).returncode == 0
    if words[:3] == ["audit", "acme", "held"]:
        (place / words[3]).write_text(call("audit", "acme", "root", "2026-01-31", "--json").stdout, "utf-8")
    words = words[: words.index(">")] if ">" in words else words
    if words[0] == "demo":
        words = [word for word in words if not word.isdigit() and word not in ("--customers", "--seed")]
        words += ["--customers", "150", "--no-serve"]
    monkeypatch.setenv("PARCOURS_PLACE_BPIC2012", str(make_loans))
    if words[0] == "serve":
        assert serve_once(place / words[1])
        return
    if "--bpmn" in words:
        assert call("export", "examples/retail", "bpmn", "--out", words[-1]).returncode == 0
    done = call(*words)
    assert done.returncode == 0, f"{page}: {command}\n{done.stderr}"


def let_in(folder: Path, words: list[str]) -> None:
    """Add the person that a documented `parcours people` changes, and somebody else who manages access."""
    access = Access(folder, Settings())
    access.add("cli", "root", "it", (), None, 0)
    if words[2] in ("role", "password", "remove", "token"):
        access.add("cli", words[3], "it", (), None, 0)
    access.close()


@pytest.fixture(scope="module")
def collecting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A collector for the suite that tests collectors; its own lines are held to in tests/cli."""
    collector = Collector(tmp_path_factory.mktemp("collecting")).start()
    yield collector
    collector.close()


def aim(words: list[str], collector: Collector) -> list[str]:
    """Return a documented `parcours conform` with the address and key of a server that is there."""
    words = words[: words.index(">")] if ">" in words else words
    if "--read-back" in words:
        words = words[: words.index("--read-back")]
    aimed = [f"http://127.0.0.1:{collector.port}" if word.startswith("http") else word for word in words]
    return [KEY if word == "KEY" else word for word in aimed]


def serve_once(folder: Path) -> bool:
    """Start `parcours serve` on a free port, come in by the address that it prints, read its home page, stop it."""
    command = [sys.executable, "-m", "parcours", "serve", str(folder), "--port", "0", "--collect-port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    try:
        assert server.stderr
        addresses = (re.search(r"http://\S+/open\?token=\S+", line) for line in server.stderr)
        address = next(filter(None, addresses))
        for _ in range(100):  # The address is printed a moment before the pages are there.
            try:
                with browser.open(address.group(), timeout=20) as page:
                    return 'class="chart map' in page.read().decode()
            except OSError:
                time.sleep(0.1)
        return False
    finally:
        server.terminate()
        server.communicate(timeout=20)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    assert [target for target in targets if target and not (page.parent / target).exists()] == []


def test_every_measure_has_its_page_and_every_page_in_french_has_its_twin() -> None:
    for measure in MEASURES:
        name = "measure-causes" if measure.name == "stakes" else f"measure-{measure.name}"
        assert (ROOT / "docs" / "reference" / f"{name}.md").exists()
    assert (ROOT / "README.fr.md").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("readme", "language"), [("README.md", "en"), ("README.fr.md", "fr")])
def test_readme_shows_what_the_demo_prints(readme: str, language: str, default_firm: Path) -> None:
    printed = call("--lang", language, "run", default_firm).stdout.replace(str(default_firm), "build/maison-riviere")
    shown = re.findall(r"<!-- demo -->\n```text\n(.*?)```", (ROOT / readme).read_text("utf-8"), re.DOTALL)[0]
    assert settle(shown) == settle(printed)


def settle(text: str) -> str:
    """Return ``text`` without what differs from run to run (seconds) or from font to font (spaces)."""
    return re.sub(r"(in|en) [\d.,]+ s\.", r"\1 … s.", text.replace("\xa0", " ").replace("\u202f", " "))


@pytest.fixture(scope="module")
def default_firm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firm of `make demo`, at its own size: over a million events."""
    folder = tmp_path_factory.mktemp("default") / "maison-riviere"
    make(folder, 40_000, 1, Silent())
    assert call("run", folder).returncode == 0
    return folder


def test_the_table_of_permissions_in_the_reference_is_the_one_that_decides() -> None:
    data = ROOT / "src" / "parcours" / "know" / "access" / "permissions.md"
    assert (ROOT / "docs" / "reference" / "permissions.md").read_text("utf-8") == data.read_text("utf-8")
