"""Roll-ups (汇总): figures over any subtree, by tier, of a campaign and its three years.

`counting` counts afresh from the self-assessments, `summary` keeps what was counted in a table,
`reading` reads it, `figures` says what follows from the counts, `detail` lists the unions behind
them.
"""

from assessments.rollups.counting import counted_organizations, reached_standard
from assessments.rollups.detail import Decided, tier_rows
from assessments.rollups.figures import TOTAL, CountyFigures, Figures, Scores, criterion_code
from assessments.rollups.reading import (
    CITY_DIRECT,
    by_county,
    by_tier,
    county_names,
    figures_of,
    scores_of,
)
from assessments.rollups.summary import faults, rebuild, refresh

__all__ = [
    "CITY_DIRECT",
    "TOTAL",
    "CountyFigures",
    "Decided",
    "Figures",
    "Scores",
    "by_county",
    "by_tier",
    "counted_organizations",
    "county_names",
    "criterion_code",
    "faults",
    "figures_of",
    "reached_standard",
    "rebuild",
    "refresh",
    "scores_of",
    "tier_rows",
]
