"""`parcours init`: start a company folder from a template."""

from __future__ import annotations

from pathlib import Path

import click

from parcours.blueprint import copy_template, template_names
from parcours.words import Words


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--template", default="retail", show_default=True, help="retail, loans, grocery.")
def command(folder: Path, template: str) -> None:
    """Create FOLDER with a blueprint, its sources and settings to start from."""
    copy_template(template, folder)
    click.echo(
        str(
            Words(
                fr=f"{folder} est prêt (modèle {template} ; il y a {', '.join(template_names())}). "
                f"Ensuite : parcours check {folder}",
                en=f"{folder} is ready (template {template}; there are {', '.join(template_names())}). "
                f"Next: parcours check {folder}",
            )
        )
    )
