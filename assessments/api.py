"""The read-only interface for other systems (数据接口), version 1: see docs/api.md.

A token reads what its scopes name, of its own subtree, and nothing of a person. Results appear once
they are published (公示中) or in force (已生效); before that only counts, in the roll-ups.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from ninja import Field, NinjaAPI, Query, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer

from assessments import deadlines, rollups
from assessments.choices import State
from assessments.models import Campaign, Decision, DecisionCriterion, SelfAssessment
from assessments.scoring import rounded
from organizations import api_clients
from organizations.choices import ApiScope, Tier
from organizations.models import ApiClient, Organization
from organizations.models.organization import within

PUBLIC_STATES = (State.PUBLISHED, State.FINAL)
#: What each parameter is, said when it is something else.
_EXPECTED = {
    "year": "应为年度，如 2026。",
    "limit": "应为 1 到 500 的整数。",
    "after": "应为上一页的 next，首页不填。",
    "code": "应为工会代码，最长 32 个字符。",
}
#: Requests a minute that one token may make.
RATE = 120


class Token(HttpBearer):
    """`Authorization: Bearer …` of a live client with the scope."""

    def __init__(self, scope: ApiScope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> ApiClient | None:
        client = api_clients.find(token)
        if client is None:
            return None
        if _requests_this_minute(client) > RATE:
            raise HttpError(429, f"请求过于频繁，每分钟最多 {RATE} 次。")
        if self.scope not in client.scopes:
            raise HttpError(403, f"这个令牌不能读取“{self.scope.label}”。")
        return client


def _requests_this_minute(client: ApiClient) -> int:
    """This one included."""
    key = f"api-rate:{client.pk}"
    if cache.add(key, 1, 60):
        return 1
    try:
        return cache.incr(key)
    except ValueError:  # the minute has just ended
        return 1


class Api(NinjaAPI):
    """Answers of the same content are the same bytes: `ETag` and `If-None-Match` go by them."""

    def create_response(self, request: HttpRequest, data: Any, **kwargs: Any) -> HttpResponse:
        response = super().create_response(request, data, **kwargs)
        response["Cache-Control"] = "private, no-cache"
        if response.status_code != 200:
            return response
        etag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
        response["ETag"] = etag
        return get_conditional_response(request, etag=etag, response=response) or response


api = Api(
    title="“六好”工会创建平台数据接口",
    version="1",
    description="只读。请求头 Authorization: Bearer 令牌；令牌由市总工会管理员登记。",
    urls_namespace="api",
    docs_url=None,
)


@api.exception_handler(AuthenticationError)
def _ask_for_a_token(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    detail = "请求头 Authorization 中没有有效的令牌：令牌缺失、错误、过期或已停用。"
    response = api.create_response(request, {"detail": detail}, status=401)
    response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(ValidationError)
def _explain(request: HttpRequest, error: ValidationError) -> HttpResponse:
    names = [str(one["loc"][-1]) for one in error.errors]
    named = [{"参数": name, "问题": _EXPECTED[name]} for name in names]
    return api.create_response(request, {"detail": "请求参数不正确。", "errors": named}, status=422)


class Page(Schema):
    """Where to go on: `after` is the key that the last page ended with."""

    limit: int = Field(100, ge=1, le=500)
    after: int = Field(0, ge=0, le=2**62)


class CampaignOut(Schema):
    year: int
    name: str
    state: str
    cycle_start_year: int
    submission_deadline: dt.date
    review_deadline: dt.date
    target_percent: Decimal


class OrganizationOut(Schema):
    key: int
    code: str
    name: str
    tier: Tier
    parent_code: str | None
    dissolved_on: dt.date | None


class OrganizationsOut(Schema):
    items: list[OrganizationOut]
    next: int | None


class CriterionOut(Schema):
    number: int
    points: Decimal
    maximum: Decimal
    met: bool


class ResultOut(Schema):
    key: int
    organization_code: str
    organization_name: str
    tier: Tier
    state: State
    at_standard: bool
    title_revoked_on: dt.date | None
    total: Decimal
    criteria: list[CriterionOut]
    decided_at: dt.datetime


class ResultsOut(Schema):
    items: list[ResultOut]
    next: int | None


class FiguresOut(Schema):
    registered: int
    started: int
    submitted: int
    endorsed: int
    reviewed: int
    decided: int
    at_standard: int | None
    share_percent: Decimal | None


class ScoresOut(Schema):
    unions: int
    met: int
    mean: Decimal | None
    score_percent: Decimal | None
    numerator: int
    denominator: int
    rate_percent: Decimal | None


class RollupOut(Schema):
    organization_code: str
    year: int
    withheld: bool
    figures: dict[str, FiguresOut]
    scores: dict[str, dict[str, ScoresOut]]


@api.get("/campaigns", auth=Token(ApiScope.CAMPAIGNS), response=list[CampaignOut])
def campaigns(request: HttpRequest) -> Any:
    """All campaigns that have opened, the newest first."""
    return Campaign.objects.opened()


@api.get("/organizations", auth=Token(ApiScope.ORGANIZATIONS), response=OrganizationsOut)
def organizations(request: HttpRequest, page: Query[Page]) -> Any:
    """The unions of the token's subtree, dissolved ones too, by key."""
    rows = Organization.objects.filter(within(request.auth.organization.path)).select_related(
        "parent"
    )
    return _page(
        rows,
        page,
        lambda one: OrganizationOut(
            key=one.pk,
            code=one.code,
            name=one.name,
            tier=one.tier,
            parent_code=one.parent.code if one.parent else None,
            dissolved_on=one.dissolved_on,
        ),
    )


@api.get("/campaigns/{year}/results", auth=Token(ApiScope.RESULTS), response=ResultsOut)
def results(request: HttpRequest, year: int, page: Query[Page]) -> Any:
    """What has been published or is in force, by key."""
    rows = (
        Decision.objects.filter(
            within(request.auth.organization.path, "self_assessment__organization__path"),
            self_assessment__campaign=_campaign(year),
            self_assessment__state__in=PUBLIC_STATES,
            superseded_at=None,
        )
        .select_related("self_assessment__organization", "recognition")
        .prefetch_related(Prefetch("criteria", DecisionCriterion.objects.order_by("number")))
    )
    return _page(rows, page, _result)


@api.get("/campaigns/{year}/rollup", auth=Token(ApiScope.ROLLUPS), response=RollupOut)
def rollup(request: HttpRequest, year: int, code: str = Query("", max_length=32)) -> Any:
    """The figures of the token's subtree, or of a county or township in it, by tier; and what was
    decided by tier and code (TOTAL, C1 … C6, indicators). As long as a decision in the subtree, of
    this year or an earlier one of the three, is not published, what decisions come to is withheld:
    of few unions it would give results away."""
    top = request.auth.organization
    if code and code != top.code:
        found = Organization.objects.filter(within(top.path), code=code)
        top = found.exclude(tier=Tier.GRASSROOTS).first()
        if top is None:
            raise HttpError(404, "令牌的数据范围内没有这个工会，或它没有下级。")
    campaign = _campaign(year)
    withheld = (
        SelfAssessment.objects.filter(campaign__year__range=campaign.window, state=State.DECIDED)
        .filter(within(top.path, "place") | within(top.path, "organization__path"))
        .exists()
    )
    hidden = {"at_standard": None, "share_percent": None} if withheld else {}
    scores = {} if withheld else rollups.scores_of(campaign, top.path or "")
    return RollupOut(
        organization_code=top.code,
        year=year,
        withheld=withheld,
        figures={
            tier: _filled(FiguresOut, figures, **hidden)
            for tier, figures in rollups.figures_of(campaign, top.path or "").items()
        },
        scores={
            tier: {name: _filled(ScoresOut, scores) for name, scores in sorted(codes.items())}
            for tier, codes in scores.items()
        },
    )


def _campaign(year: int) -> Campaign:
    found = Campaign.objects.opened().filter(year=year).first() if 0 < year < 10_000 else None
    if found is None:
        raise HttpError(404, "没有这个年度的创建活动。")
    return found


def _page(rows: QuerySet, page: Page, out: Callable[[Any], Schema]) -> dict[str, Any]:
    """By key: rows that come or go meanwhile neither shift nor repeat what is still to come."""
    found = list(rows.filter(pk__gt=page.after).order_by("pk")[: page.limit + 1])
    shown = found[: page.limit]
    return {
        "items": [out(one) for one in shown],
        "next": shown[-1].pk if len(found) > page.limit else None,
    }


def _result(decision: Decision) -> ResultOut:
    assessment = decision.self_assessment
    title = getattr(decision, "recognition", None)
    return ResultOut(
        key=decision.pk,
        organization_code=assessment.organization.code,
        organization_name=assessment.organization.name,
        tier=assessment.organization.tier,
        state=assessment.state,
        at_standard=decision.outcome == "AT_STANDARD",
        title_revoked_on=deadlines.local_day(title.revoked_at)
        if title and title.revoked_at
        else None,
        total=rounded(decision.total),
        criteria=[
            CriterionOut(
                number=one.number, points=rounded(one.points), maximum=one.maximum, met=one.met
            )
            for one in decision.criteria.all()
        ],
        decided_at=decision.decided_at,
    )


def _filled(schema: type[Schema], figures: Any, **instead: Any) -> Schema:
    values = {name: getattr(figures, name) for name in schema.model_fields} | instead
    return schema(
        **{
            name: rounded(value) if isinstance(value, Decimal) else value
            for name, value in values.items()
        }
    )


def paths() -> tuple[list, str, str]:
    """The addresses for urls.py. A token is asked for instead of a session: the description is
    for everybody."""
    patterns, app, namespace = api.urls
    for pattern in patterns:
        pattern.callback.login_required = False
    return patterns, app, namespace
