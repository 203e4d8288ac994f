"""账号管理: opening, roles, slips, disabling, handing over; each within one's own subtree."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from organizations.choices import Role
from organizations.histories import lines
from organizations.models import AuditEvent, FirstPassword, Membership, User
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client, city):
    client.force_login(city.admin)
    return client


@pytest.fixture
def county(client, city):
    client.force_login(city.county_admin)
    return client


def address(name, *arguments):
    return reverse(f"organizations:{name}", args=arguments)


def page(response):
    return response.content.decode()


def open_account(client, union, role="REPORTER", **fields):
    fields = {"full_name": "赵新人", "organization": union.code, "role": role} | fields
    return client.post(address("account_add"), fields)


def first_password(response):
    return re.search(r"<code>(\w{4}-\w{4}-\w{4})</code>", page(response)).group(1)


def test_an_account_is_opened_with_a_role_and_a_username_from_the_code(admin, city):
    assert open_account(admin, city.own).status_code == 302
    account = User.objects.get(full_name="赵新人")
    assert account.username == f"{city.own.code.lower()}-1"
    assert account.must_change_password
    assert not account.has_usable_password()
    membership = account.memberships.get()
    assert (membership.organization, membership.role) == (city.own, Role.REPORTER)
    assert [line.act for line in lines(account)] == ["授予角色", "开户"]


def test_a_second_account_of_the_union_gets_the_next_number(admin, city):
    open_account(admin, city.own)
    open_account(admin, city.own, full_name="钱新人", role="HEAD")
    assert User.objects.get(full_name="钱新人").username == f"{city.own.code.lower()}-2"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"full_name": ""}, "这个字段是必填项"),
        ({"full_name": "长" * 41}, "40"),
        ({"organization": "没有这个工会"}, "找不到这个工会"),
        ({"organization": ""}, "这个字段是必填项"),
        ({"role": "REVIEWER"}, "没有这个角色"),
        ({"role": "NOPE"}, "NOPE"),
        ({"username": "有 空格"}, "用户名"),
        ({"username": "ADMIN-TAKEN"}, "已经有人使用"),
        ({"full_name": "nul\0"}, "空字符"),
    ],
)
def test_a_wrong_field_is_told_and_opens_nothing(admin, city, fields, message):
    make_user(username="admin-taken")
    before = User.objects.count()
    response = open_account(admin, city.own, **fields)
    assert response.status_code == 200
    assert message in page(response)
    assert User.objects.count() == before


def test_a_county_opens_accounts_below_itself_only(county, city):
    assert open_account(county, city.own).status_code == 302
    assert open_account(county, city.county, role="HEAD").status_code == 302
    assert "找不到这个工会" in page(open_account(county, city.foreign))
    assert "找不到这个工会" in page(open_account(county, city.city, role="VIEWER"))


@pytest.mark.parametrize("role", ["ADMIN", "REVIEWER", "LEAD_REVIEWER"])
def test_a_county_gives_no_role_that_is_the_citys_to_give(county, city, role):
    before = Membership.objects.count()
    assert open_account(county, city.county, role=role).status_code == 200
    url = address("account_grant", city.head.pk)
    county.post(url, {"organization": city.county.code, "role": role})
    assert Membership.objects.count() == before


def test_a_county_sees_the_accounts_of_its_own_subtree(county, city):
    names = {account.full_name for account in county.get(address("accounts")).context["accounts"]}
    assert names == {
        "王填报",
        "李主席",
        "观察甲",
        "镇主席",
        "县主席",
        "县管理员",
        "邻主席",
    }
    for stranger in (city.foreign_head, city.admin, city.nobody):
        assert county.get(address("account", stranger.pk)).status_code == 404


@pytest.mark.parametrize(
    "name", ["account_slip", "account_disable", "account_hand_over", "account_rename"]
)
def test_a_county_does_not_take_over_who_has_a_role_elsewhere(county, city, name):
    """Whoever resets a password can be that person: also a reviewer of the city."""
    Membership.objects.create(user=city.head, organization=city.city, role=Role.REVIEWER)
    response = county.post(address(name, city.head.pk), {"full_name": "别名"})
    assert response.status_code == 404
    shown = page(county.get(address("account", city.head.pk)))
    assert "管理范围以外" in shown
    assert "平顶山市总工会" not in re.sub(r"<(header|footer).*?</\1>", "", shown, flags=re.S)
    assert not FirstPassword.objects.exists()


def test_a_county_does_not_take_over_a_fellow_administrator(county, city):
    other = make_user((city.county, Role.ADMIN), name="另一管理员")
    assert county.post(address("account_slip", other.pk)).status_code == 404
    assert county.post(address("account_disable", other.pk)).status_code == 404


def test_nobody_touches_a_superuser_but_a_superuser(admin, city):
    root = make_user((city.own, Role.HEAD), is_superuser=True)
    assert admin.get(address("account", root.pk)).status_code == 404
    assert admin.post(address("account_slip", root.pk)).status_code == 404


@pytest.mark.parametrize("who", ["reporter", "head", "township_head", "county_head", "lead"])
def test_without_an_administrators_role_there_are_no_accounts(client, city, who):
    client.force_login(getattr(city, who))
    for url in (
        address("accounts"),
        address("account_add"),
        address("account", city.own_viewer.pk),
    ):
        assert client.get(url).status_code == 404


def test_the_slip_opens_the_account_once(admin, city):
    response = admin.post(address("account_slip", city.head.pk))
    assert response["Cache-Control"] == "private, no-store"
    assert city.head.username in page(response)
    password = first_password(response)
    person = Client()
    fields = {"username": city.head.username, "password": password}
    assert person.post(reverse("login"), fields).status_code == 302
    assert person.get("/").url.startswith(reverse("password_change"))
    assert password not in str(list(AuditEvent.objects.values_list("details", flat=True)))


def test_a_new_slip_makes_the_old_one_worthless(admin, city):
    old = first_password(admin.post(address("account_slip", city.head.pk)))
    new = first_password(admin.post(address("account_slip", city.head.pk)))
    person = Client()
    for password, status in ((old, 200), (new, 302)):
        fields = {"username": city.head.username, "password": password}
        assert person.post(reverse("login"), fields).status_code == status


def test_slips_of_a_list_a_page_for_each_union(admin, city):
    open_account(admin, city.own, full_name="甲")
    open_account(admin, city.own, full_name="乙", role="HEAD")
    open_account(admin, city.foreign, full_name="丙")
    response = admin.post(address("account_slips"))
    text = page(response)
    assert text.count('class="slip-page"') == 2
    assert text.count('class="slip"') == 3
    assert FirstPassword.objects.count() == 3
    again = admin.post(address("account_slips"), follow=True)
    assert "没有需要发放初始密码的账号" in page(again)


def test_slips_of_a_list_stay_within_its_filter_and_ones_own_subtree(
    county, city, django_user_model
):
    new = {
        name: make_user((place, Role.REPORTER), name=name, must_change_password=True)
        for name, place in (("本县", city.own), ("邻镇", city.sibling), ("外县", city.foreign))
    }
    assert "外县" not in page(county.post(address("account_slips") + "?q=本县"))
    assert list(FirstPassword.objects.values_list("user", flat=True)) == [new["本县"].pk]
    county.post(address("account_slips"))
    assert not FirstPassword.objects.filter(user=new["外县"]).exists()


def test_disabling_ends_sessions_at_once_and_for_good(admin, city):
    person = Client()
    person.force_login(city.head)
    assert person.get("/").status_code == 200
    admin.post(address("account_disable", city.head.pk), {"reason": "离职"})
    assert person.get("/").status_code == 302
    admin.post(address("account_enable", city.head.pk))
    assert person.get("/").status_code == 302
    assert [line.act for line in lines(city.head)] == ["启用", "停用"]


def test_nobody_disables_oneself(admin, city):
    assert admin.post(address("account_disable", city.admin.pk)).status_code == 404
    assert User.objects.get(pk=city.admin.pk).is_active


def test_roles_are_given_and_taken(admin, city):
    grant = address("account_grant", city.head.pk)
    fields = {"organization": city.sibling.name, "role": "REPORTER"}
    assert admin.post(grant, fields).status_code == 302
    membership = Membership.objects.get(user=city.head, organization=city.sibling)
    assert "该用户在这个工会已有这个角色" in page(admin.post(grant, fields))
    revoke = address("account_revoke", city.head.pk, membership.pk)
    assert admin.post(revoke).status_code == 302
    assert not Membership.objects.filter(pk=membership.pk).exists()
    assert admin.post(revoke).status_code == 404


def test_a_county_takes_away_only_roles_in_its_own_subtree(county, city):
    outside = Membership.objects.create(
        user=city.head, organization=city.foreign, role=Role.REPORTER
    )
    inside = city.head.memberships.get(organization=city.own)
    assert county.post(address("account_revoke", city.head.pk, outside.pk)).status_code == 404
    assert county.post(address("account_revoke", city.head.pk, inside.pk)).status_code == 302
    assert list(city.head.memberships.all()) == [outside]


def test_handing_over_to_a_new_person_keeps_what_was_done(admin, city):
    role = city.head.memberships.get()
    fields = {"full_name": "孙接任", "memberships": [role.pk]}
    response = admin.post(address("account_hand_over", city.head.pk), fields)
    successor = User.objects.get(full_name="孙接任")
    assert response.url == address("account", successor.pk)
    assert successor.memberships.get().organization == city.own
    city.head.refresh_from_db()
    assert not city.head.is_active
    assert not city.head.memberships.exists()
    assert "移交" in [line.act for line in lines(city.head)]
    assert "接任" in [line.act for line in lines(successor)]


def test_handing_over_to_somebody_with_an_account(county, city):
    role = city.head.memberships.get()
    fields = {"successor": city.reporter.username, "memberships": [role.pk]}
    county.post(address("account_hand_over", city.head.pk), fields)
    roles = set(city.reporter.memberships.values_list("role", flat=True))
    assert roles == {Role.REPORTER, Role.HEAD}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "只填一项"),
        ({"successor": "x", "full_name": "两个"}, "只填一项"),
        ({"successor": "no-such-person"}, "没有这个用户名"),
        ({"full_name": "无角色", "memberships": []}, "至少选择一个角色"),
    ],
)
def test_handing_over_to_nobody(admin, city, fields, message):
    role = city.head.memberships.get()
    url = address("account_hand_over", city.head.pk)
    assert message in page(admin.post(url, {"memberships": [role.pk]} | fields))
    assert city.head.memberships.exists()


def test_the_list_is_searched_and_filtered(admin, city):
    def names(**query):
        return [one.full_name for one in admin.get(address("accounts"), query).context["accounts"]]

    assert names(q="李主席") == ["李主席"]
    assert names(q=city.head.username) == ["李主席"]
    assert set(names(q="示例机械")) == {"王填报", "李主席", "观察甲"}
    assert set(names(q="sljxzz")) == {"王填报", "李主席", "观察甲"}
    assert names(role="LEAD_REVIEWER") == ["组长"]
    assert set(names(under=city.other_county.pk)) == {"外主席"}
    assert names(state="disabled") == []
    assert len(names(state="nonsense", role="?", under="x")) == len(city.users())


def test_names_are_corrected(county, city):
    url = address("account_rename", city.head.pk)
    assert county.post(url, {"full_name": "李主席（更正）"}).status_code == 302
    assert User.objects.get(pk=city.head.pk).full_name == "李主席（更正）"
    county.post(url, {"full_name": " "})
    assert User.objects.get(pk=city.head.pk).full_name == "李主席（更正）"
