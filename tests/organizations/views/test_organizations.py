"""The tree's pages: finding unions, entering and revising them, and reorganizing them."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assessments import rollups
from assessments.choices import State
from organizations import reorganizing, tree
from organizations.choices import Role, Tier
from organizations.models import Membership, Organization, User
from tests.factories import make_organization, make_self_assessment, make_user, today
from tests.organizations.importing.files import CREDIT_CODE, WRONG_CREDIT_CODE

pytestmark = pytest.mark.django_db

URL = "/organizations/"


@pytest.fixture
def admin(client, city):
    client.force_login(city.admin)
    return client


@pytest.fixture
def county_admin(client, city):
    client.force_login(city.county_admin)
    return client


def address(organization, act=""):
    return f"{URL}{organization.pk}/{act and f'{act}/'}"


def found(client, **query):
    """Names that a search finds, in the order of the page."""
    return [union.name for union in client.get(URL, query).context["organizations"]]


def send(client, organization, act, **fields):
    """Send the form of an act; its reason and date are given where nothing else is said."""
    return client.post(
        address(organization, act), {"reason": "县编办〔2026〕3 号", "on": today()} | fields
    )


def done(client, organization, act, **fields):
    """Send the form, which must be accepted; the union as it is then."""
    response = send(client, organization, act, **fields)
    assert response.status_code == 302, response.context["form"].errors
    assert response.url == address(organization)
    return fresh(organization)


def errors(response):
    assert response.status_code == 200
    return response.context["form"].errors


def fresh(organization):
    return Organization.objects.get(pk=organization.pk)


def history(client, organization):
    """(what, the rest in words) of each line on the union's page, the newest first."""
    return [(line.act, line.text) for line in client.get(address(organization)).context["history"]]


# --- Finding -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("机械", ["示例机械制造有限公司工会委员会"]),
        ("slsm", ["示例商贸有限公司工会委员会"]),
        ("SL JXZZ", ["示例机械制造有限公司工会委员会"]),
        ("bfxzgh", ["宝丰县总工会"]),
        ("没有这个工会", []),
        ("%", []),
        ("_", []),
        ("'; --", []),
    ],
)
def test_a_union_is_found_by_name_and_by_initials(admin, text, names):
    assert found(admin, q=text) == names


def test_a_union_is_found_by_the_beginning_of_its_code(admin, city):
    Organization.objects.filter(pk=city.own.pk).update(code="BF-00017")
    assert found(admin, q="BF-0") == found(admin, q="bf-00017") == [city.own.name]
    assert found(admin, q="00017") == []


def test_a_new_name_is_found_by_its_initials(admin, city):
    done(admin, city.own, "edit", name="重庆路小学工会", code=city.own.code)
    assert found(admin, q="cqlxx") == ["重庆路小学工会"]
    assert found(admin, q="sljx") == []


def test_a_search_stays_in_what_the_user_sees(client, city):
    client.force_login(city.county_head)
    assert found(client, q="工会") == [
        city.county.name,
        city.township.name,
        city.own.name,
        city.sibling.name,
    ]


def test_a_search_by_tier_and_by_state(admin, city):
    Organization.objects.filter(pk=city.foreign.pk).update(dissolved_on="2026-01-01")
    assert found(admin, tier="TOWNSHIP") == [city.township.name, city.other_township.name]
    assert found(admin, state="dissolved") == [city.foreign.name]
    assert city.foreign.name not in found(admin, q="示例")
    assert found(admin, tier="GRASSROOTS", state="dissolved", q="商贸") == []


@pytest.mark.parametrize("query", [{"tier": "NOPE"}, {"state": "NOPE"}, {"q": "长" * 61}, {}])
def test_a_search_that_makes_no_sense_shows_where_one_stands(admin, city, query):
    assert admin.get(URL, query).context["organization"] == city.city


def test_long_lists_come_page_by_page(admin, city):
    tree.plant_all(
        Organization(code=f"Q{n:03}", name="示例", tier="GRASSROOTS", parent=city.township)
        for n in range(60)
    )
    response = admin.get(URL, {"q": "Q0", "page": "99"})
    assert len(response.context["organizations"]) == 10
    assert "第 2 页 / 共 2 页（60 条）" in response.content.decode()
    assert "page=1" in response.content.decode()


def test_somebody_in_several_unions_chooses_among_them(client, city):
    client.force_login(make_user((city.own, Role.REPORTER), (city.foreign, Role.HEAD)))
    assert found(client) == [city.own.name, city.foreign.name]


def test_somebody_without_a_role_sees_none(client, city):
    client.force_login(city.nobody)
    assert found(client) == []


# --- Counting ------------------------------------------------------------------------------------


def below(client, organization):
    children = client.get(address(organization)).context["page_obj"]
    return {child.name: child.below for child in children}


def test_each_union_shows_how_many_active_ones_stand_below_it(admin, city):
    assert below(admin, city.city) == {
        city.county.name: 3,
        city.other_county.name: 2,
        city.industry.name: 0,
        city.direct.name: 0,
    }
    Organization.objects.filter(pk=city.own.pk).update(dissolved_on="2026-01-01")
    assert below(admin, city.city)[city.county.name] == 2
    assert below(admin, city.township) == {city.sibling.name: 0}


def test_a_union_shows_its_subtree_by_tier_with_heads(admin, city):
    Organization.objects.filter(pk=city.own.pk).update(workers=120, members=100)
    Organization.objects.filter(pk=city.sibling.pk).update(workers=30)
    Organization.objects.filter(pk=city.foreign.pk).update(workers=7, members=7)
    totals = admin.get(address(city.county)).context["totals"]
    assert [(row["label"], row["count"], row["workers"], row["members"]) for row in totals] == [
        ("县（市、区）工会", 1, None, None),
        ("乡镇（街道）工会", 1, None, None),
        ("基层工会", 2, 150, 100),
    ]


def test_a_page_leads_to_those_above_as_far_as_the_user_sees(client, city):
    client.force_login(city.county_head)
    assert list(client.get(address(city.own)).context["ancestors"]) == [city.county, city.township]
    client.force_login(city.leader)
    ancestors = client.get(address(city.own)).context["ancestors"]
    assert list(ancestors) == [city.city, city.county, city.township]


def test_pages_cost_the_same_queries_at_any_size(admin, city):
    def queries():
        numbers = []
        for organization in (city.city, city.township, city.own):
            with CaptureQueriesContext(connection) as captured:
                assert admin.get(address(organization)).status_code == 200
            numbers.append(len(captured))
        with CaptureQueriesContext(connection) as captured:
            admin.get(URL, {"q": "示例"})
        return [*numbers, len(captured)]

    few = queries()
    tree.plant_all(
        Organization(code=f"Q{n}", name="示例", tier="GRASSROOTS", parent=city.township)
        for n in range(300)
    )
    assert queries() == few
    assert max(few) <= 12


# --- Who may -------------------------------------------------------------------------------------

ACTS = ["add", "edit", "move", "merge", "dissolve"]
CITY = {"admin"}
COUNTY = {"admin", "county_admin"}
MAY = {
    ("city", "add"): CITY,
    ("city", "edit"): CITY,
    ("county", "add"): COUNTY,
    ("county", "edit"): CITY,
    ("county", "move"): CITY,
    ("county", "merge"): CITY,
    ("county", "dissolve"): CITY,
    **{("township", act): COUNTY for act in ACTS},
    **{("own", act): COUNTY for act in ACTS if act != "add"},
    **{("foreign", act): CITY for act in ACTS if act != "add"},
}


@pytest.mark.parametrize("place", ["city", "county", "township", "own", "foreign"])
def test_exactly_who_may_opens_each_page(client, city, place):
    opened = {}
    for act in [*ACTS, "reactivate"]:
        for name, user in city.users().items():
            client.force_login(user)
            status = client.get(address(getattr(city, place), act)).status_code
            assert status in (200, 404)
            if status == 200:
                opened.setdefault((place, act), set()).add(name)
    assert opened == {key: users for key, users in MAY.items() if key[0] == place}


@pytest.mark.parametrize("name", ["sibling_head", "foreign_head", "nobody", "reviewer"])
def test_what_a_user_may_not_see_does_not_exist(client, city, name):
    client.force_login(getattr(city, name))
    before = list(Organization.objects.values_list("name", "path", "dissolved_on"))
    assert client.get(address(city.own)).status_code == 404
    for act in [*ACTS, "reactivate"]:
        assert send(client, city.own, act, name="改", to=city.county.pk).status_code == 404
    assert list(Organization.objects.values_list("name", "path", "dissolved_on")) == before


@pytest.mark.parametrize("act", [act for act in ACTS if act != "add"])
def test_a_county_has_no_hand_in_its_own_entry(county_admin, city, act):
    response = send(
        county_admin, city.county, act, name="改", code="X", into=city.other_county.code
    )
    assert response.status_code == 404
    assert (fresh(city.county).name, fresh(city.county).is_active) == (city.county.name, True)


@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_done_with_a_dissolved_union_but_to_take_it_back(admin, city, act):
    done(admin, city.own, "dissolve")
    assert admin.get(address(city.own, act)).status_code == 404
    assert admin.get(address(city.own, "reactivate")).status_code == 200


def test_buttons_and_history_are_for_those_who_may(client, city):
    def page(user):
        client.force_login(user)
        context = client.get(address(city.township)).context
        return [action.title for action in context["actions"]], context["accounts"]

    everything = ["修改登记", "新增下级工会", "调整上级", "合并到其他工会", "撤销"]
    assert page(city.admin) == page(city.county_admin) == (everything, 1)
    assert page(city.county_head) == page(city.leader) == ([], None)


# --- Entering and revising -----------------------------------------------------------------------


def entry(**fields):
    return {"name": "示例新建工会", "code": "N-1", "tier": "GRASSROOTS"} | fields


def test_a_union_is_entered_below_another(county_admin, city):
    register = {
        "kind": "ENTERPRISE",
        "ownership": "PRIVATE",
        "workers": "30",
        "members": "29",
        "has_legal_person": "false",
        "credit_code": CREDIT_CODE,
    }
    response = county_admin.post(address(city.township, "add"), entry(**register), follow=True)
    made = Organization.objects.get(code="N-1")
    assert response.redirect_chain == [(address(made), 302)]
    assert (made.parent, made.workers, made.has_legal_person) == (city.township, 30, False)
    assert made in Organization.objects.subtree_of(city.county)
    assert found(county_admin, q="slxj") == ["示例新建工会"]
    assert [act for act, _ in history(county_admin, made)] == ["登记"]


@pytest.mark.parametrize(
    ("place", "tiers"),
    [
        ("city", ["COUNTY", "INDUSTRY", "GRASSROOTS"]),
        ("county", ["TOWNSHIP", "GRASSROOTS"]),
        ("township", ["GRASSROOTS"]),
        ("industry", ["GRASSROOTS"]),
    ],
)
def test_only_tiers_that_may_stand_there_are_offered(admin, city, place, tiers):
    form = admin.get(address(getattr(city, place), "add")).context["form"]
    assert [value for value, _ in form.fields["tier"].choices] == tiers


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"name": ""}, "name", "这个字段是必填项。"),
        ({"code": "TAKEN"}, "code", "已有工会使用这个代码。"),
        ({"code": "宝 1"}, "code", "代码只能用字母、数字、点、横线和下划线，最多 30 位。"),
        ({"name": "长" * 121}, "name", "确保该变量包含不超过 120 字符 (目前字符数 121)。"),
        ({"members": "11", "workers": "10"}, "members", "会员人数不能多于职工人数。"),
        ({"workers": "-1"}, "workers", "确保该值大于或等于0。"),
        ({"workers": "1.5"}, "workers", "输入整数。"),
        (
            {"credit_code": WRONG_CREDIT_CODE},
            "credit_code",
            "统一社会信用代码不正确：应为 18 位，且与末位校验码相符。",
        ),
        ({"kind": "SHOP"}, "kind", "选择一个有效的选项。 SHOP 不在可用的选项中。"),
        ({"tier": "COUNTY"}, "tier", "选择一个有效的选项。 COUNTY 不在可用的选项中。"),
        ({"tier": "TOWNSHIP", "workers": "5"}, "workers", "只有基层工会填写这一项。"),
    ],
)
def test_a_wrong_entry_is_refused_at_its_field(admin, city, fields, field, message):
    Organization.objects.filter(pk=city.foreign.pk).update(code="TAKEN")
    response = admin.post(address(city.county, "add"), entry(**fields))
    assert errors(response)[field] == [message]
    assert message in response.content.decode()
    assert not Organization.objects.filter(parent=city.county, name=entry()["name"]).exists()


def test_what_was_typed_stays_in_the_form(admin, city):
    response = admin.post(address(city.county, "add"), entry(code="宝 1", name="打了很久的名称"))
    assert "打了很久的名称" in response.content.decode()


def test_a_revised_entry_says_what_it_was_before(admin, city):
    Organization.objects.filter(pk=city.own.pk).update(workers=10, has_legal_person=True)
    fields = {"name": "示例机械集团工会", "code": "NEW-1", "workers": "12", "kind": "OTHER"}
    own = done(admin, city.own, "edit", **fields)
    assert (own.name, own.code, own.workers, own.kind) == ("示例机械集团工会", "NEW-1", 12, "OTHER")
    assert own.path == city.own.path
    assert history(admin, city.own) == [
        (
            "修改登记",
            f"代码：{city.own.code} → NEW-1；名称：{city.own.name} → 示例机械集团工会；"
            "单位性质：（空） → 其他；职工人数：10 → 12；工会法人资格：是 → （空）",
        )
    ]


def test_saving_without_a_change_leaves_no_line(admin, city):
    done(admin, city.own, "edit", name=city.own.name, code=city.own.code)
    assert history(admin, city.own) == []


def test_a_code_of_old_may_stay_as_it_is(admin, city):
    Organization.objects.filter(pk=city.own.pk).update(code="老代码/1")
    assert done(admin, city.own, "edit", name="改名工会", code="老代码/1").name == "改名工会"


def test_a_form_does_not_change_what_is_not_on_it(admin, city):
    own = done(
        admin,
        city.own,
        "edit",
        name="改名工会",
        code=city.own.code,
        tier="COUNTY",
        parent=city.city.pk,
        path="",
        dissolved_on="2026-01-01",
    )
    assert (own.tier, own.parent, own.path) == (Tier.GRASSROOTS, city.township, city.own.path)
    assert own.is_active


def test_the_register_is_for_grassroots_unions_only(admin, city):
    done(admin, city.township, "edit", name="改名镇工会", code="X-1", workers="5")
    assert fresh(city.township).workers is None


# --- Reorganizing --------------------------------------------------------------------------------


@pytest.fixture
def assessed(city, campaign):
    """Three self-assessments below the county, one elsewhere."""
    make_self_assessment(city, campaign, State.SUBMITTED)
    for organization in (city.sibling, city.township, city.foreign):
        make_self_assessment(city, campaign, State.SUBMITTED, organization=organization)
    return campaign


def test_a_move_shows_beforehand_what_it_touches(admin, city, assessed):
    response = admin.get(address(city.township, "move"))
    impact = response.context["impact"]
    assert impact.below == [("基层工会", 2)]
    people = Membership.objects.filter(organization__in=[city.township, city.own, city.sibling])
    assert impact.accounts == people.values("user").distinct().count() > 4
    assert ("自评", 3) in impact.records
    page = response.content.decode()
    assert "基层工会 2 个" in page
    assert f"{impact.accounts} 个" in page
    assert "3 条" in page


def test_moving_takes_the_whole_subtree_along(admin, city):
    township = done(admin, city.township, "move", to=city.other_county.pk)
    assert township.parent == city.other_county
    subtree = Organization.objects.subtree_of(city.other_county)
    assert {city.township, city.own, city.sibling} <= set(subtree)
    assert list(Organization.objects.subtree_of(city.county)) == [city.county]
    assert fresh(city.own).path == f"{township.path}{tree.step(city.own.pk)}"
    assert history(admin, city.township) == [
        (
            "调整上级",
            f"原：{city.county.name}；改为：{city.other_county.name}；"
            f"理由：县编办〔2026〕3 号；生效日期：{today()}；涉及工会 3 个",
        )
    ]


def test_who_sees_a_union_changes_with_its_place(client, city):
    client.force_login(city.admin)
    done(client, city.township, "move", to=city.other_county.pk)
    client.force_login(city.county_head)
    assert client.get(address(city.own)).status_code == 404


def test_what_was_handed_in_is_counted_where_the_union_stood_then(admin, city, assessed):
    def submitted():
        counties = rollups.by_county(assessed)
        return {county.name: county.together.submitted for county in counties}

    places = list(assessed.self_assessments.order_by("pk").values_list("place", flat=True))
    before = submitted()
    assert (before[city.county.name], before[city.other_county.name]) == (3, 1)
    done(admin, city.township, "move", to=city.other_county.pk)
    assert list(assessed.self_assessments.order_by("pk").values_list("place", flat=True)) == places
    assert submitted() == before


def test_what_was_not_handed_in_is_counted_where_the_union_stands_now(admin, city, campaign):
    def registered(county):
        return next(c for c in rollups.by_county(campaign) if c.name == county.name).together

    before = registered(city.other_county).registered
    done(admin, city.township, "move", to=city.other_county.pk)
    assert registered(city.other_county).registered == before + 3


def test_superiors_of_the_right_tier_are_offered(admin, city):
    def offered(organization):
        return list(admin.get(address(organization, "move")).context["form"].fields["to"].queryset)

    assert offered(city.township) == [city.other_county]
    assert offered(city.own) == [
        city.city,
        city.county,
        city.other_county,
        city.other_township,
        city.industry,
    ]


NO_CHOICE = "选择一个有效的选项： 该选择不在可用的选项中。"


@pytest.mark.parametrize("target", ["foreign", "township", "own"])
def test_a_union_does_not_move_where_it_cannot_stand(admin, city, target):
    response = send(admin, city.own, "move", to=getattr(city, target).pk)
    assert errors(response)["to"] == [NO_CHOICE]
    assert fresh(city.own).parent == city.township


@pytest.mark.parametrize("target", ["city", "other_county", "other_township", "industry"])
def test_a_county_moves_nothing_out_of_itself(county_admin, city, target):
    response = send(county_admin, city.own, "move", to=getattr(city, target).pk)
    assert errors(response)["to"] == [NO_CHOICE]
    assert fresh(city.own).parent == city.township


def test_a_county_moves_within_itself(county_admin, city):
    assert done(county_admin, city.own, "move", to=city.county.pk).parent == city.county


@pytest.mark.parametrize("act", ["move", "merge", "dissolve", "reactivate"])
@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"on": "2999-01-01"}, "on", "日期不能晚于今天。"),
        ({"on": "昨天"}, "on", "输入一个有效的日期。"),
        ({"on": ""}, "on", "这个字段是必填项。"),
        ({"reason": " "}, "reason", "这个字段是必填项。"),
    ],
)
def test_every_act_has_a_reason_and_a_day_not_after_today(admin, city, act, fields, field, message):
    if act == "reactivate":
        Organization.objects.filter(pk=city.own.pk).update(dissolved_on="2026-01-01")
    before = fresh(city.own)
    response = send(
        admin, city.own, act, **{"to": city.county.pk, "into": city.sibling.code} | fields
    )
    assert errors(response)[field] == [message]
    assert message in response.content.decode()
    after = fresh(city.own)
    assert (after.path, after.dissolved_on) == (before.path, before.dissolved_on)


def test_an_act_may_hold_from_an_earlier_day(admin, city):
    assert done(admin, city.own, "dissolve", on="2026-01-31").dissolved_on == dt.date(2026, 1, 31)


def test_a_fault_in_the_register_of_old_is_told_when_the_union_is_to_move(admin, city):
    Organization.objects.filter(pk=city.own.pk).update(credit_code=WRONG_CREDIT_CODE)
    response = send(admin, city.own, "move", to=city.county.pk)
    assert errors(response)["__all__"] == [
        "统一社会信用代码不正确：应为 18 位，且与末位校验码相符。"
    ]


def test_merging_takes_the_subordinates_over(admin, city):
    other = make_organization(Tier.TOWNSHIP, city.county, "新城镇工会委员会")
    township = done(admin, city.township, "merge", into=other.code)
    assert (township.dissolved_on, township.merged_into) == (today(), other)
    assert {fresh(city.own).parent, fresh(city.sibling).parent} == {other}
    assert set(Organization.objects.subtree_of(other)) == {other, city.own, city.sibling}
    assert history(admin, city.township)[0][0] == "合并"
    assert history(admin, other) == [
        (
            "接收合并",
            f"原：{city.township.name}；理由：县编办〔2026〕3 号；生效日期：{today()}",
        )
    ]
    assert "并入" in admin.get(address(city.township)).content.decode()


@pytest.mark.parametrize("with_accounts", [True, False])
def test_merging_takes_the_people_over_if_wanted(admin, city, with_accounts):
    both = make_user((city.own, Role.REPORTER), (city.sibling, Role.REPORTER))
    fields = {"with_accounts": "on"} if with_accounts else {}
    done(admin, city.own, "merge", into=city.sibling.name, **fields)
    people = set(Membership.objects.filter(organization=city.sibling).values_list("user", "role"))
    staying = {(city.sibling_head.pk, "HEAD"), (both.pk, "REPORTER")}
    coming = {
        (city.head.pk, "HEAD"),
        (city.reporter.pk, "REPORTER"),
        (city.own_viewer.pk, "VIEWER"),
    }
    assert people == (staying | coming if with_accounts else staying)
    assert [r.organization for r in User.objects.get(pk=city.head.pk).roles] == (
        [city.sibling] if with_accounts else []
    )


def test_what_was_handed_in_stays_with_the_union_that_did(admin, city, assessed):
    done(admin, city.own, "merge", into=city.foreign.code)
    assert assessed.self_assessments.get(organization=city.own).place == city.own.path


@pytest.mark.parametrize(
    ("into", "message"),
    [
        ("township", "找不到这个工会，请填完整的名称或代码。"),
        ("own", "找不到这个工会，请填完整的名称或代码。"),
        ("dissolved", "找不到这个工会，请填完整的名称或代码。"),
    ],
)
def test_a_union_merges_with_another_of_its_tier(admin, city, into, message):
    Organization.objects.filter(pk=city.foreign.pk).update(dissolved_on="2026-01-01")
    target = city.foreign if into == "dissolved" else getattr(city, into)
    assert errors(send(admin, city.own, "merge", into=target.code))["into"] == [message]
    assert fresh(city.own).is_active


def test_a_name_that_several_have_asks_for_the_code(admin, city):
    twin = make_organization(Tier.GRASSROOTS, city.other_township, city.sibling.name)
    response = send(admin, city.own, "merge", into=city.sibling.name)
    codes = f"{city.sibling.code}、{twin.code}"
    assert errors(response)["into"] == [f"有几个工会叫这个名称，请填代码：{codes}。"]


def test_a_county_merges_into_nothing_outside(county_admin, city):
    response = send(county_admin, city.own, "merge", into=city.foreign.code)
    assert errors(response)["into"] == ["找不到这个工会，请填完整的名称或代码。"]


def roles_of(user):
    return [role.organization.name for role in User.objects.get(pk=user.pk).roles]


def test_the_people_of_a_dissolved_union_lose_their_roles_until_it_is_taken_back(admin, city):
    done(admin, city.own, "dissolve")
    assert (roles_of(city.head), roles_of(city.reporter)) == ([], [])
    own = done(admin, city.own, "reactivate")
    assert (own.dissolved_on, own.parent) == (None, city.township)
    assert roles_of(city.head) == [city.own.name]
    assert [act for act, _ in history(admin, city.own)] == ["恢复", "撤销"]


def test_a_dissolved_union_is_shown_as_such(admin, city):
    done(admin, city.own, "dissolve", on="2026-02-03")
    assert "2026年2月3日撤销" in admin.get(address(city.own)).content.decode()
    assert below(admin, city.township) == {city.sibling.name: 0}
    assert history(admin, city.own) == [("撤销", "理由：县编办〔2026〕3 号；生效日期：2026-02-03")]


def test_subordinates_are_not_dissolved_by_oversight(admin, city):
    response = send(admin, city.township, "dissolve")
    assert errors(response)["__all__"] == [
        "还有 2 个在册的下级工会。请先移动它们，或选择连同下级一并撤销。"
    ]
    assert fresh(city.township).is_active
    done(admin, city.township, "dissolve", with_subordinates="on")
    gone = Organization.objects.exclude(dissolved_on=None)
    assert set(gone) == {city.township, city.own, city.sibling}


def test_a_union_is_not_taken_back_below_a_dissolved_one(admin, city):
    done(admin, city.township, "dissolve", with_subordinates="on")
    assert errors(send(admin, city.own, "reactivate"))["__all__"] == [
        f"它的上级“{city.township.name}”已经撤销，请先恢复上级。"
    ]
    done(admin, city.township, "reactivate")
    assert done(admin, city.own, "reactivate").is_active
    assert not fresh(city.sibling).is_active


def test_a_union_is_not_taken_back_before_it_was_dissolved(admin, city):
    done(admin, city.own, "dissolve", on="2026-03-01")
    response = send(admin, city.own, "reactivate", on="2026-02-28")
    assert errors(response)["on"] == ["恢复日期不能早于撤销日期。"]


def test_a_merged_union_is_taken_back_by_itself(admin, city):
    done(admin, city.own, "merge", into=city.sibling.code)
    own = done(admin, city.own, "reactivate")
    assert (own.merged_into, own.is_active) == (None, True)


@pytest.mark.parametrize("act", ["move", "merge", "dissolve"])
def test_the_city_stays_where_it_is(admin, city, act):
    assert send(admin, city.city, act, to=city.county.pk).status_code == 404


# --- The database uses its indexes ---------------------------------------------------------------


def plan_of(rows):
    """How the database would fetch these rows, in its own words."""
    query, parameters = rows.order_by().values("pk").query.sql_with_params()
    explain = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
    with connection.cursor() as cursor:
        cursor.execute(explain + query, parameters)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


@pytest.fixture
def large(city):
    """Four thousand unions more, fifty of them below the township."""
    parents = [city.industry, city.other_township, city.direct.parent, city.other_county]
    tree.plant_all(
        Organization(
            code=f"Q{n}",
            name=f"示例{n}",
            tier=Tier.GRASSROOTS,
            parent=city.township if n % 80 == 0 else parents[n % 4],
        )
        for n in range(4000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE organizations_organization")
    return city


SUBTREES = {
    "a subtree": lambda c: Organization.objects.subtree_of(c.township),
    "its active unions": lambda c: Organization.objects.active().subtree_of(c.township),
    "what a head sees": lambda c: Organization.objects.visible_to(c.township_head),
    "what somebody with two roles sees": lambda c: Organization.objects.visible_to(
        make_user((c.own, Role.HEAD), (c.foreign, Role.REPORTER))
    ),
    "what a county administers": lambda c: Organization.objects.administered_by(c.county_admin),
    "the unions of one tier in it": lambda c: Organization.objects.subtree_of(c.township).filter(
        tier=Tier.GRASSROOTS
    ),
}


@pytest.mark.parametrize("name", SUBTREES)
def test_a_subtree_is_found_by_an_index(large, name):
    rows = SUBTREES[name](large)
    plan = plan_of(rows)
    assert rows.count() < 60
    if connection.vendor == "postgresql":
        assert "Index" in plan
        assert "Seq Scan" not in plan
    else:
        assert "USING" in plan
        assert "INDEX" in plan
        assert "SCAN organizations_organization" not in plan


def test_without_a_place_every_row_is_looked_at(large):
    """The test above can fail: a search by a column without an index looks different."""
    plan = plan_of(Organization.objects.filter(name="示例7"))
    assert "Seq Scan" in plan or "SCAN organizations_organization" in plan


def test_the_impact_of_an_act_costs_the_same_at_any_size(city, django_assert_num_queries):
    with CaptureQueriesContext(connection) as few:
        reorganizing.impact(city.township)
    tree.plant_all(
        Organization(code=f"Q{n}", name="示例", tier="GRASSROOTS", parent=city.township)
        for n in range(300)
    )
    with django_assert_num_queries(len(few)):
        assert reorganizing.impact(city.township).subordinates == 302
