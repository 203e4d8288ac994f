"""The receipt for an implementation plan (回执), as PDF."""

from __future__ import annotations

from assessments import printing
from assessments.models import ImplementationPlan, PlanVersion


def receipt(plan: ImplementationPlan, version: PlanVersion) -> bytes:
    """For the version that was filed last. Raises printing.PrintingUnavailable."""
    return printing.pdf(
        "assessments/print/plan_receipt.html",
        "assessments/print/decisions.css",
        {"plan": plan, "version": version},
    )
