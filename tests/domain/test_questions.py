"""Every question has words and a way to settle it, in both languages."""

from siaghsync.domain.site import BY_NAME, QUESTIONS
from siaghsync.messages import catalog


def test_every_question_is_explained_and_no_other() -> None:
    assert len(BY_NAME) == len(QUESTIONS)
    assert list(catalog.chapter("question")) == list(BY_NAME)
    for question in QUESTIONS:
        for language in ("en", "fa"):
            assert catalog.render(question.message, language)
            assert catalog.cure(question.message, language)
