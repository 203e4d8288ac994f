"""The letter to a union, and the list for the meeting, as PDF."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from assessments import printing
from assessments.choices import Outcome
from assessments.letters import Letter
from assessments.models import DecisionBatch, PendingDecision

_STYLE = "assessments/print/decisions.css"


def letter(found: Letter) -> bytes:
    """Raises printing.PrintingUnavailable."""
    return printing.pdf("assessments/print/letters.html", _STYLE, {"letters": [found]})


def letters(found: Iterable[Letter]) -> bytes:
    """All in one document, each on pages of its own. Raises printing.PrintingUnavailable."""
    return printing.pdf("assessments/print/letters.html", _STYLE, {"letters": list(found)})


@dataclass(frozen=True)
class TierPart:
    """The lines of one tier, and how many of them are at standard."""

    label: str
    lines: list[PendingDecision]

    @property
    def at_standard(self) -> int:
        return sum(line.final_outcome == Outcome.AT_STANDARD for line in self.lines)


def meeting(batch: DecisionBatch, parts: list[TierPart]) -> bytes:
    """Raises printing.PrintingUnavailable."""
    return printing.pdf(
        "assessments/print/meeting.html",
        _STYLE,
        {"batch": batch, "parts": parts, "landscape": True},
    )
