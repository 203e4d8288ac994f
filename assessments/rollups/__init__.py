"""Roll-ups (汇总): figures over any subtree, by tier, of a campaign and its three years.

`counting` counts afresh from the self-assessments, `summary` keeps what was counted in a table,
`reading` reads it, `figures` says what follows from the counts, `detail` lists the unions behind
them.
"""

from assessments.rollups.counting import counted_organizations, reached_standard
from assessments.rollups.detail import Reached, decided, rated, unions
from assessments.rollups.figures import (
    BANDS,
    TOTAL,
    CountyFigures,
    Figures,
    Scores,
    criterion_code,
    percent,
)
from assessments.rollups.reading import (
    CITY_DIRECT,
    DIRECT,
    by_county,
    by_tier,
    cells_of,
    county_names,
    figures_of,
    scores_of,
)
from assessments.rollups.summary import faults, rebuild, refresh

__all__ = [
    "BANDS",
    "CITY_DIRECT",
    "DIRECT",
    "TOTAL",
    "CountyFigures",
    "Figures",
    "Reached",
    "Scores",
    "by_county",
    "by_tier",
    "cells_of",
    "counted_organizations",
    "county_names",
    "criterion_code",
    "decided",
    "faults",
    "figures_of",
    "percent",
    "rated",
    "reached_standard",
    "rebuild",
    "refresh",
    "scores_of",
    "unions",
]
