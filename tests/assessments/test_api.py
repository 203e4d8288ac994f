"""The read-only interface: tokens, scopes, subtrees, paging, conditional requests."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from assessments import rollups
from assessments.api import RATE
from assessments.choices import Action, State
from assessments.models import Campaign
from organizations import api_clients, tree
from organizations.choices import ApiScope, Tier
from organizations.models import ApiClient, AuditEvent, Organization
from tests import factories
from tests.factories import make_self_assessment, perform

pytestmark = pytest.mark.django_db
ADDRESSES = {
    "campaigns": "/api/v1/campaigns",
    "organizations": "/api/v1/organizations",
    "results": "/api/v1/campaigns/{year}/results",
    "rollups": "/api/v1/campaigns/{year}/rollup",
}


@pytest.fixture(autouse=True)
def _no_requests_yet():
    cache.clear()


@pytest.fixture
def campaign(city):
    return factories.make_campaign()


def token(city, *scopes, of=None, until=None):
    _, text = api_clients.issue(
        name="数据平台",
        contact="张工 0375-1234567",
        organization=of or city.city,
        scopes=scopes or ApiScope.values,
        expires_on=until or timezone.localdate(),
        by=city.admin,
    )
    return text


def get(client, text, address, **headers):
    return client.get(address, headers={"authorization": f"Bearer {text}"} | headers)


def address(scope, campaign):
    return ADDRESSES[scope].format(year=campaign.year)


# --- Tokens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ADDRESSES)
def test_each_scope_opens_one_door(client, city, campaign, scope):
    text = token(city, scope)
    for other in ADDRESSES:
        expected = 200 if other == scope else 403
        assert get(client, text, address(other, campaign)).status_code == expected
    for response in (
        get(client, "x" * 43, address(scope, campaign)),
        client.get(address(scope, campaign)),
    ):
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == "Bearer"
        assert "没有有效的令牌" in response.json()["detail"]


def test_a_session_opens_nothing(client, city, campaign):
    client.force_login(city.admin)
    for scope in ADDRESSES:
        assert client.get(address(scope, campaign)).status_code == 401
        assert client.post(address(scope, campaign)).status_code == 405


def test_expired_revoked_and_renewed(client, city, campaign):
    late = token(city, until=timezone.localdate() - dt.timedelta(days=1))
    assert get(client, late, ADDRESSES["campaigns"]).status_code == 401
    text = token(city)
    system = ApiClient.objects.latest("pk")
    new = api_clients.renew(system, by=city.admin)
    assert get(client, text, ADDRESSES["campaigns"]).status_code == 401
    assert get(client, new, ADDRESSES["campaigns"]).status_code == 200
    api_clients.revoke(system, by=city.admin)
    api_clients.revoke(system, by=city.admin)
    assert get(client, new, ADDRESSES["campaigns"]).status_code == 401
    acts = AuditEvent.objects.filter(action__startswith="API_CLIENT").order_by("pk")
    assert [event.action.removeprefix("API_CLIENT_") for event in acts] == [
        "ISSUED",
        "ISSUED",
        "RENEWED",
        "REVOKED",
    ]
    assert not any(one in str(event.details) for event in acts for one in (text, new))


def test_only_a_digest_is_kept_and_use_is_noted_once_an_hour(client, city, campaign):
    text = token(city)
    system = ApiClient.objects.get()
    assert text not in str(vars(system))
    get(client, text, ADDRESSES["campaigns"])
    first = ApiClient.objects.get().last_used_at
    get(client, text, ADDRESSES["campaigns"])
    assert first is not None
    assert ApiClient.objects.get().last_used_at == first


def test_too_many_requests(client, city, campaign):
    text = token(city)
    codes = [get(client, text, ADDRESSES["campaigns"]).status_code for _ in range(RATE + 1)]
    assert codes == [200] * RATE + [429]


def test_a_minute_that_ends_while_it_is_counted(client, city, campaign, monkeypatch):
    text = token(city)
    assert get(client, text, ADDRESSES["campaigns"]).status_code == 200

    def ended(key):
        raise ValueError(key)

    monkeypatch.setattr(cache, "incr", ended)
    assert get(client, text, ADDRESSES["campaigns"]).status_code == 200


# --- What is read ---------------------------------------------------------------------------------


def test_only_what_is_published_and_nothing_of_a_person(client, city, campaign):
    text = token(city)
    make_self_assessment(city, campaign, State.DECIDED, organization=city.foreign)
    make_self_assessment(city, campaign, State.PUBLISHED)
    response = get(client, text, address("results", campaign))
    (item,) = response.json()["items"]
    assert item["organization_code"] == city.own.code
    assert (item["at_standard"], item["state"], len(item["criteria"])) == (True, "PUBLISHED", 6)
    for user in city.users().values():
        assert user.full_name not in response.content.decode()


def test_a_title_that_was_lost_says_so_beside_the_result(client, city, campaign):
    final = make_self_assessment(city, campaign, State.FINAL)
    title = factories.make_recognition(final, city.admin)
    text = token(city)

    def result():
        (item,) = get(client, text, address("results", campaign)).json()["items"]
        return item["at_standard"], item["title_revoked_on"]

    assert result() == (True, None)
    type(title).objects.update(revoked_at=timezone.now())
    assert result() == (True, timezone.localdate().isoformat())


def test_a_subtree_only(client, city, campaign):
    for union in (city.own, city.foreign):
        make_self_assessment(city, campaign, State.PUBLISHED, organization=union)
    text = token(city, of=city.county)
    codes = {one["code"] for one in get(client, text, ADDRESSES["organizations"]).json()["items"]}
    assert city.own.code in codes
    assert city.foreign.code not in codes
    results = get(client, text, address("results", campaign)).json()["items"]
    assert [one["organization_code"] for one in results] == [city.own.code]
    url = address("rollups", campaign)
    assert get(client, text, f"{url}?code={city.township.code}").status_code == 200
    for foreign in (city.other_county.code, city.city.code, city.own.code, "nobody"):
        assert get(client, text, f"{url}?code={foreign}").status_code == 404


def test_what_is_decided_and_not_published_is_withheld(client, city, campaign):
    one = make_self_assessment(city, campaign, State.DECIDED)
    text = token(city)
    found = get(client, text, address("rollups", campaign)).json()
    assert (found["withheld"], found["scores"]) == (True, {})
    figures = found["figures"]["GRASSROOTS"]
    assert (figures["decided"], figures["at_standard"], figures["share_percent"]) == (1, None, None)
    url = f"{address('rollups', campaign)}?code={city.other_county.code}"
    assert get(client, text, url).json()["withheld"] is False
    perform(one, Action.PUBLISH, city.admin)
    assert get(client, text, address("rollups", campaign)).json()["withheld"] is False


def test_an_unpublished_decision_of_an_earlier_year_of_the_three_is_withheld_too(
    client, city, campaign
):
    earlier = factories.make_campaign(year=campaign.year - 1)
    Campaign.objects.update(cycle_start_year=campaign.year - 1)
    one = make_self_assessment(city, earlier, State.DECIDED)
    text = token(city)
    found = get(client, text, address("rollups", campaign)).json()
    assert (found["withheld"], found["figures"]["GRASSROOTS"]["at_standard"]) == (True, None)
    perform(one, Action.PUBLISH, city.admin)
    found = get(client, text, address("rollups", campaign)).json()
    assert (found["withheld"], found["figures"]["GRASSROOTS"]["at_standard"]) == (False, 1)


def test_the_roll_up_is_that_of_the_portal(client, city, campaign):
    make_self_assessment(city, campaign, State.PUBLISHED)
    found = get(client, token(city), address("rollups", campaign)).json()
    figures = rollups.figures_of(campaign, city.city.path)["GRASSROOTS"]
    assert found["figures"]["GRASSROOTS"]["decided"] == figures.decided == 1
    assert float(found["figures"]["GRASSROOTS"]["share_percent"]) == 25
    assert found["scores"]["GRASSROOTS"]["TOTAL"]["unions"] == 1


def test_nothing_at_all(client, city):
    text = token(city)
    assert get(client, text, ADDRESSES["campaigns"]).json() == []
    assert get(client, text, "/api/v1/campaigns/2026/results").status_code == 404
    factories.make_campaign(opened=False)
    assert get(client, text, ADDRESSES["campaigns"]).json() == []


# --- Paging and conditional requests --------------------------------------------------------------


def test_pages_by_key_neither_shift_nor_repeat(client, city, campaign):
    text = token(city)
    seen, after = [], 0
    while after is not None:
        page = get(client, text, f"{ADDRESSES['organizations']}?limit=3&after={after}").json()
        seen += [one["key"] for one in page["items"]]
        after = page["next"]
        if len(seen) == 3:  # meanwhile one more is entered
            factories.make_organization(Tier.GRASSROOTS, city.township)
    assert seen == sorted(set(seen))
    assert len(seen) == Organization.objects.count()


def test_what_has_not_changed_is_not_sent_again(client, city, campaign):
    text = token(city)
    url = ADDRESSES["organizations"]
    etag = get(client, text, url)["ETag"]
    again = get(client, text, url, **{"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")
    factories.make_organization(Tier.GRASSROOTS, city.township)
    assert get(client, text, url, **{"if-none-match": etag}).status_code == 200


@pytest.mark.parametrize(
    ("path", "name", "message"),
    [
        ("organizations?limit=0", "limit", "应为 1 到 500 的整数。"),
        ("organizations?limit=501", "limit", "应为 1 到 500 的整数。"),
        ("organizations?limit=x", "limit", "应为 1 到 500 的整数。"),
        ("organizations?after=-1", "after", "应为上一页的 next，首页不填。"),
        ("organizations?after=9999999999999999999999", "after", "应为上一页的 next，首页不填。"),
        ("organizations?after=a", "after", "应为上一页的 next，首页不填。"),
        ("campaigns/x/results", "year", "应为年度，如 2026。"),
        ("campaigns/2026/rollup?code=" + "9" * 33, "code", "应为工会代码，最长 32 个字符。"),
    ],
)
def test_parameters_that_make_no_sense_are_named(client, city, campaign, path, name, message):
    response = get(client, token(city), f"/api/v1/{path}")
    assert response.status_code == 422
    assert response.json()["errors"] == [{"参数": name, "问题": message}]


def test_a_nul_is_a_bad_request(client, city, campaign):
    url = f"{address('rollups', campaign)}?code=%00"
    assert get(client, token(city), url).status_code == 400


@pytest.mark.parametrize("path", ["campaigns/0/results", "campaigns/99999/rollup", "nothing", ""])
def test_addresses_that_lead_nowhere(client, city, campaign, path):
    assert get(client, token(city), f"/api/v1/{path}").status_code == 404


def test_the_description_names_all_addresses_and_loads_nothing(client):
    described = client.get("/api/v1/openapi.json").json()
    assert described["paths"].keys() == {
        "/api/v1/campaigns",
        "/api/v1/organizations",
        "/api/v1/campaigns/{year}/results",
        "/api/v1/campaigns/{year}/rollup",
    }
    assert client.get("/api/v1/docs").status_code == 404


def test_queries_do_not_grow(client, city, campaign):
    text = token(city)
    get(client, text, ADDRESSES["campaigns"])  # notes the first use
    rollups.refresh(campaign)

    def queries(url):
        with CaptureQueriesContext(connection) as asked:
            assert get(client, text, url).status_code == 200
        return len(asked)

    urls = [address(scope, campaign) for scope in ADDRESSES]
    few = [queries(url) for url in urls]
    tree.plant_all(
        Organization(code=f"Q{n}", name=f"第{n}工会", tier=Tier.GRASSROOTS, parent=city.township)
        for n in range(200)
    )
    rollups.refresh(campaign)
    assert [queries(url) for url in urls] == few
    assert max(few) <= 12


# --- Its administration ---------------------------------------------------------------------------


def test_the_administrator_sees_the_token_once(client, city, campaign):
    client.force_login(city.admin)
    response = client.post(
        "/api-clients/",
        {
            "name": "省总工会平台",
            "contact": "李工",
            "organization": city.city.code,
            "scopes": ["results", "rollups"],
            "expires_on": timezone.localdate().isoformat(),
        },
    )
    text = response.context["token"]
    assert text in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert text not in client.get("/api-clients/").content.decode()
    client.logout()
    assert get(client, text, address("results", campaign)).status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "这个字段是必填项。"),
        ("scopes", [], "请至少选择一项。"),
        ("scopes", ["everything"], "选择一个有效的选项"),
        ("organization", "没有", "找不到这个工会"),
        ("expires_on", "2020-01-01", "有效期不能早于今天。"),
        ("expires_on", "2999-01-01", "有效期最长三年。"),
    ],
)
def test_what_is_wrong_is_named_at_the_field(client, city, field, value, message):
    client.force_login(city.admin)
    fields = {
        "name": "平台",
        "contact": "李工",
        "organization": city.city.code,
        "scopes": ["results"],
        "expires_on": timezone.localdate().isoformat(),
    }
    response = client.post("/api-clients/", fields | {field: value})
    assert message in response.context["form"].errors[field][0]
    assert not ApiClient.objects.exists()
