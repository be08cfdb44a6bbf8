"""The life of one customer or document as lines for the terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from siaghsync.features.explain.rules import explain, sentence_text, title
from siaghsync.messages.catalog import Language
from siaghsync.messages.message import msg
from siaghsync.report.text import Prose, isolated
from siaghsync.state.record_history import RecordHistory

_MOST_CELLS = 2000


def story(history: RecordHistory, language: Language = "en") -> list[RenderableType]:
    """A title, then each section with its sentences below each other."""
    parts: list[RenderableType] = [Prose(isolated(sentence_text(title(history), language)), style="bold")]
    for section in explain(history):
        parts.append(Text(sentence_text(section.heading, language), style="dim"))
        for sentence in section.sentences:
            text = Prose(isolated(sentence_text(sentence, language), _MOST_CELLS))
            parts.append(Padding(text, (0, 0, 0, 2), expand=False))
    return [*parts, Text(sentence_text(msg("explain.times"), language), style="dim"), Text()]
