"""What a workbook is of: a campaign, a part of the tree, and the columns of a union."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from assessments import rollups
from assessments.choices import State
from assessments.models import Campaign, Rubric
from organizations.choices import ASSESSED_TIERS, Tier
from organizations.models import Organization
from organizations.models.organization import PATH_STEP, within

#: Unions that are held in memory at a time.
PORTION = 500
NOTHING = "—"


@dataclass(frozen=True)
class UnionColumn:
    """A column about the union itself, on every sheet that lists unions. `label` is in the language
    of the screen that offers it; `value` is read from a row of `Scope.portions`; an `optional` one
    is there when it is asked for."""

    name: str
    label: str
    width: int
    value: Callable[[dict[str, Any]], Any]
    optional: bool = True


UNION_COLUMNS = (
    UnionColumn("code", _("代码"), 16, lambda row: row["code"], optional=False),
    UnionColumn("name", _("工会名称"), 36, lambda row: row["name"], optional=False),
    UnionColumn("county", _("县（市、区）"), 26, lambda row: row["county"], optional=False),
    UnionColumn("township", _("乡镇（街道）"), 26, lambda row: row["township"]),
    UnionColumn(
        "credit_code", _("统一社会信用代码"), 22, lambda row: row["credit_code"] or NOTHING
    ),
    UnionColumn("workers", _("职工人数"), 10, lambda row: row["workers"]),
    UnionColumn("members", _("会员人数"), 10, lambda row: row["members"]),
    UnionColumn("state", _("状态"), 10, lambda row: state_label(row["entry__state"])),
    UnionColumn("submitted_at", _("提交时间"), 18, lambda row: row["entry__submitted_at"]),
)
#: Those of them that a workbook has unless somebody says otherwise.
USUAL_COLUMNS = ("township", "state")


def state_label(state: str | None) -> str:
    return str(State(state).label) if state else "未开始"


def shown(value: Any) -> Any:
    """What a cell holds: a dash where there is nothing."""
    return NOTHING if value is None else value


def county_of(names: Mapping[str, str], place: str) -> str:
    """The name, by path, of what stands directly under the city above a place, or 市直单位."""
    return str(names.get(place[: 2 * PATH_STEP], rollups.CITY_DIRECT))


@dataclass(frozen=True)
class Scope:
    """`hidden` holds the paths of the subtrees that are left out of the lists of unions (回避);
    figures over a county or a tier count everybody."""

    campaign: Campaign
    place: Organization | None
    sheets: tuple[str, ...]
    columns: frozenset[str]
    prepared_by: str
    on: dt.date
    hidden: tuple[str, ...] = ()

    @cached_property
    def rubrics(self) -> dict[Tier, Rubric]:
        """The tiers that the campaign assesses, from above, each with its rubric."""
        policies = self.campaign.policies.select_related("rubric")
        found = {policy.tier: policy.rubric for policy in policies}
        return {tier: found[tier] for tier in ASSESSED_TIERS if tier in found}

    @cached_property
    def top(self) -> str:
        """The path of the place, or of the city."""
        return (self.place or Organization.objects.get(parent=None)).path or ""

    @cached_property
    def figures(self) -> dict[tuple[str, Tier], rollups.Figures]:
        """What the portal shows, by place and tier; see `rollups.cells_of`."""
        return rollups.cells_of(self.campaign, self.top)

    @cached_property
    def scores(self) -> dict[str, dict[str, rollups.Scores]]:
        """What the portal shows, by tier and code; see `rollups.scores_of`."""
        return rollups.scores_of(self.campaign, self.top)

    @property
    def where(self) -> str:
        return self.place.name if self.place else "全市"

    @property
    def made(self) -> str:
        """The line below the title of every sheet."""
        return f"范围：{self.where}　制表：{self.prepared_by}　制表日期：{self.on:%Y年%m月%d日}"

    @cached_property
    def union_columns(self) -> tuple[UnionColumn, ...]:
        return tuple(one for one in UNION_COLUMNS if not one.optional or one.name in self.columns)

    @cached_property
    def names(self) -> dict[str, str]:
        """Names by path of everything that has unions below it; the city is 市直单位."""
        tops = Organization.objects.exclude(tier=Tier.GRASSROOTS).order_by("code")
        return {
            path: str(rollups.CITY_DIRECT) if tier == Tier.CITY else name
            for path, tier, name in tops.values_list("path", "tier", "name")
        }

    def county(self, place: str) -> str:
        return county_of(self.names, place)

    def township(self, place: str) -> str:
        """The township union at a place or above it, if any."""
        return self.names.get(place[: 3 * PATH_STEP], "") if len(place) > 2 * PATH_STEP else ""

    def counted(self, tier: str | None = None) -> QuerySet[Organization]:
        """Every union that counts in the 90 % target, there where it stood when it handed in."""
        found = rollups.counted_organizations(self.campaign, tier)
        return found.filter(within(self.place.path, "standing_place")) if self.place else found

    def unions(self, tier: str) -> QuerySet[Organization]:
        """Those that may be listed by name."""
        found = self.counted(tier)
        for path in self.hidden:
            found = found.exclude(within(path))
        return found

    def portions(self, unions: QuerySet[Organization]) -> Iterator[list[dict[str, Any]]]:
        """Rows in the order of the tree, PORTION at a time. Each portion is one query of its own:
        nothing stays open while a run writes how far it has come."""
        rows = unions.order_by("path").values(
            *("code", "name", "path", "standing_place", "credit_code", "workers", "members"),
            *("entry__pk", "entry__state", "entry__self_total", "entry__revision"),
            "entry__submitted_at",
        )
        last = ""
        while portion := list(rows.filter(path__gt=last)[:PORTION]):
            last = portion[-1]["path"]
            for row in portion:
                row["county"] = self.county(row["standing_place"])
                row["township"] = self.township(row["standing_place"])
            yield portion
