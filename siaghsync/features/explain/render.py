"""The story of one customer or document as lines for the terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from siaghsync.features.explain.rules import Dossier, explain, title
from siaghsync.report.text import Prose, isolated

_MOST_CELLS = 2000


def story(dossier: Dossier) -> list[RenderableType]:
    """A title, then each section with its sentences below each other."""
    parts: list[RenderableType] = [Prose(isolated(title(dossier)), style="bold")]
    for section in explain(dossier):
        parts.append(Text(section.heading, style="dim"))
        parts += [
            Padding(Prose(isolated(sentence, _MOST_CELLS)), (0, 0, 0, 2), expand=False)
            for sentence in section.sentences
        ]
    return [*parts, Text("All times are Tehran's.", style="dim"), Text()]
