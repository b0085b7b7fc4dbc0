"""Every code that the blueprint's source can report stands in its reference page, and no other."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
REPORTING = {"Fault", "ParcoursError", "fault", "error", "warning", "report", "_fault", "_unknown", "_unknown_at"}
CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")


def reported_codes() -> set[str]:
    found = set()
    for path in (ROOT / "src" / "parcours" / "blueprint").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            words = [
                word.value for word in call.args[:2] if isinstance(word, ast.Constant) and isinstance(word.value, str)
            ]
            if name in REPORTING:
                found |= {word for word in words if CODE.fullmatch(word)}
    return found


def test_every_code_is_documented_and_exists() -> None:
    page = (ROOT / "docs" / "reference" / "blueprint.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `([a-z0-9_]+)` \| (?:error|warning)", page, re.MULTILINE))
    assert len(documented) > 60
    assert documented == reported_codes()
