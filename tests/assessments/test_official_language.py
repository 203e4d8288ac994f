"""What is printed and generated is in Chinese, whichever language the one who asks has chosen."""

from __future__ import annotations

import io
from threading import Barrier, Thread

import pytest
from django.utils import translation

from assessments import exporting, printing
from assessments.exports import form, progress_report, recommendations
from organizations.chinese import in_chinese


class Reached(Exception):
    """Far enough: the rendering has been reached."""


@pytest.fixture
def spoken(monkeypatch):
    """The languages in which a stand-in for the rendering found itself."""
    found: list[str | None] = []

    def note(*args: object, **kwargs: object) -> str:
        found.append(translation.get_language())
        raise Reached

    monkeypatch.setattr(printing, "render_to_string", note)
    monkeypatch.setattr(exporting, "_claim", note)
    for module in (form, progress_report, recommendations):
        monkeypatch.setattr(module.word, "new", note)
    return found


@pytest.mark.parametrize(
    "make",
    [
        lambda: printing.pdf("a.html", "a.css", {}),
        lambda: exporting.build.call(1),
        lambda: form.as_word(Anything(), "", io.BytesIO()),
        lambda: progress_report.write(Anything(), "", None, "", io.BytesIO()),
        lambda: recommendations.form(Anything(), io.BytesIO()),
    ],
)
def test_papers_stay_chinese(spoken, monkeypatch, make):
    monkeypatch.setattr(recommendations, "_titles", lambda made: {})
    with translation.override("en"):
        with pytest.raises(Reached):
            make()
        assert spoken == ["zh-hans"]
        assert translation.get_language() == "en"


class Anything:
    """Has whatever is asked for."""

    def __getattr__(self, name: str) -> Anything:
        return self

    def __getitem__(self, name: str) -> Anything:
        return self


def test_two_at_a_time_get_back_their_own_language():
    both, found = Barrier(2), {}

    @in_chinese()
    def meet() -> None:
        both.wait(10)

    def ask(language: str) -> None:
        translation.activate(language)
        meet()
        found[language] = translation.get_language()

    threads = [Thread(target=ask, args=[one]) for one in ("en", "zh-hans")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == {"en": "en", "zh-hans": "zh-hans"}
