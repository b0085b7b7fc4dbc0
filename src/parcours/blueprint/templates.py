"""Company folders to start from: the examples, in a checkout or inside the installed package."""

from __future__ import annotations

import shutil
from pathlib import Path

from parcours.errors import ParcoursError
from parcours.words import Words

TEMPLATES = ("retail", "loans", "grocery")


def template_names() -> tuple[str, ...]:
    """Return the names of the templates."""
    return TEMPLATES


def template_path(name: str) -> Path:
    """Return the folder of a template; `ParcoursError` (``unknown_template``) when there is none of that name."""
    if name in TEMPLATES:
        package = Path(__file__).resolve().parents[1]
        # The wheel holds examples/ inside the package; a checkout holds it beside src/.
        for folder in (package / "examples" / name, package.parents[1] / "examples" / name):
            if (folder / "blueprint.yaml").exists():
                return folder
    listed = ", ".join(TEMPLATES)
    raise ParcoursError(
        "unknown_template",
        Words(f"Le modèle « {name} » n'existe pas.", f"The template “{name}” does not exist."),
        Words(f"Choisissez parmi : {listed}.", f"Choose one of: {listed}."),
    )


def copy_template(name: str, folder: Path) -> tuple[Path, ...]:
    """Copy a template into ``folder`` and return the files written.

    Nothing is ever overwritten: `ParcoursError` (``folder_not_empty``) when one of the files is already there.
    """
    source = template_path(name)
    pairs = [
        (path, folder / path.relative_to(source))
        for path in sorted(source.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(source).parts)
    ]
    taken = next((target for _, target in pairs if target.exists()), None)
    if taken is not None:
        raise ParcoursError(
            "folder_not_empty",
            Words(f"Le fichier {taken.name} est déjà là.", f"The file {taken.name} is already there."),
            Words("Choisissez un dossier neuf.", "Choose a new folder."),
            taken,
        )
    for path, target in pairs:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return tuple(target for _, target in pairs)
