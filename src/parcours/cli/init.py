"""`parcours init`: start a company folder from a template, or from a BPMN 2.0 file."""

from __future__ import annotations

from pathlib import Path

import click

from parcours.blueprint import copy_template, read_bpmn, template_names
from parcours.errors import ParcoursError
from parcours.words import Words


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--template", default="retail", show_default=True, help="retail, loans, grocery.")
@click.option(
    "--bpmn", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Start from a BPMN 2.0 file."
)
def command(folder: Path, template: str, bpmn: Path | None) -> None:
    """Create FOLDER with a blueprint, its sources and settings to start from."""
    if bpmn is not None:
        write_draft(bpmn, folder)
    else:
        copy_template(template, folder)
    names = ", ".join(template_names())
    origin = Words(fr=f"modèle {template} ; il y a {names}", en=f"template {template}; there are {names}")
    if bpmn is not None:
        origin = Words(fr=f"tiré de {bpmn}", en=f"from {bpmn}")
    click.echo(
        str(
            Words(
                fr=f"{folder} est prêt ({origin.fr}). Ensuite : parcours check {folder}",
                en=f"{folder} is ready ({origin.en}). Next: parcours check {folder}",
            )
        )
    )


def write_draft(bpmn: Path, folder: Path) -> None:
    """Write ``folder/blueprint.yaml`` from a BPMN file; what it still lacks is what `parcours check` lists."""
    place = folder / "blueprint.yaml"
    if place.exists():
        raise ParcoursError(
            "already_there",
            Words(fr=f"{place} existe déjà.", en=f"{place} exists already."),
            Words(fr="Choisissez un autre dossier.", en="Choose another folder."),
        )
    text = read_bpmn(bpmn).text
    folder.mkdir(parents=True, exist_ok=True)
    place.write_text(text, "utf-8")
