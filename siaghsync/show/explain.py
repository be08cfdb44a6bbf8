"""The story of one customer or document as lines for the terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from siaghsync.rules.explain import Dossier, explain, title
from siaghsync.show.report import isolated


def story(dossier: Dossier) -> list[RenderableType]:
    """A title, then each section with its sentences below each other."""
    parts: list[RenderableType] = [Text(isolated(title(dossier)), style="bold")]
    for section in explain(dossier):
        parts.append(Text(section.heading, style="dim"))
        parts += [Padding(Text(isolated(sentence)), (0, 0, 0, 2), expand=False) for sentence in section.sentences]
    return [*parts, Text()]
