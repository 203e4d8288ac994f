"""The back office for unions, accounts and roles."""

import io

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from organizations.choices import Role
from organizations.models import Membership, Organization, User
from tests.factories import make_user, today

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client, city):
    client.force_login(city.admin)
    return client


def test_organizations_are_planted_through_the_tree_and_stay_in_their_place(admin, city):
    fields = {"code": "N1", "name": "新工会", "tier": "GRASSROOTS", "parent": city.sibling.pk}
    url = reverse("admin:organizations_organization_add")
    assert "的上级只能是" in admin.post(url, fields).content.decode()
    fields["parent"] = city.township.pk
    assert admin.post(url, fields).status_code == 302
    added = Organization.objects.get(code="N1")
    assert added in Organization.objects.subtree_of(city.township)
    assert added.initials == "xgh"
    url = reverse("admin:organizations_organization_change", args=[added.pk])
    moved = {"name": "改名", "parent": city.other_township.pk, "tier": "TOWNSHIP"}
    assert admin.post(url, fields | moved).status_code == 302
    added.refresh_from_db()
    assert (added.name, added.parent, added.tier) == ("改名", city.township, "GRASSROOTS")


def test_a_union_is_never_deleted_and_its_life_is_not_edited_here(admin, city, campaign):
    url = reverse("admin:organizations_organization_delete", args=[city.own.pk])
    assert admin.post(url, {"post": "yes"}).status_code == 403
    change = reverse("admin:organizations_organization_change", args=[city.own.pk])
    fields = {"code": city.own.code, "name": city.own.name, "dissolved_on": today()}
    assert admin.post(change, fields).status_code == 302
    assert Organization.objects.get(pk=city.own.pk).is_active


def test_the_register_of_chosen_unions_is_exported(admin, city):
    url = reverse("admin:organizations_organization_changelist")
    chosen = {"action": "export_register", "_selected_action": [city.own.pk, city.foreign.pk]}
    response = admin.post(url, chosen)
    sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    codes = [row[0] for row in sheet.iter_rows(min_row=4, values_only=True)]
    assert codes == [city.own.code, city.foreign.code]


def test_accounts_are_made_without_a_password_and_given_roles(admin, city):
    fields = {
        "username": "new",
        "full_name": "新同志",
        "memberships-TOTAL_FORMS": 1,
        "memberships-INITIAL_FORMS": 0,
        "memberships-0-organization": city.own.pk,
        "memberships-0-role": "REVIEWER",
    }
    url = reverse("admin:organizations_user_add")
    assert "评审员只能设在：市总工会" in admin.post(url, fields).content.decode()
    assert admin.post(url, fields | {"memberships-0-role": "HEAD"}).status_code == 302
    membership = Membership.objects.get(user__username="new")
    assert (membership.organization, membership.role) == (city.own, Role.HEAD)
    assert not membership.user.has_usable_password()
    assert membership.user.must_change_password


def test_roles_have_a_list_of_their_own(admin, city):
    url = reverse("admin:organizations_membership_changelist")
    assert admin.get(f"{url}?role__exact=LEAD_REVIEWER&q=组长").context["cl"].result_count == 1
    fields = {"user": city.head.pk, "organization": city.sibling.pk, "role": "REPORTER"}
    add = reverse("admin:organizations_membership_add")
    assert admin.post(add, fields).status_code == 302
    assert admin.post(add, fields).status_code == 200
    assert city.head.memberships.filter(organization=city.sibling).count() == 1


def test_accounts_are_disabled_and_enabled_in_one_go(admin, city):
    url = reverse("admin:organizations_user_changelist")
    chosen = [city.head.pk, city.reporter.pk, city.admin.pk]
    admin.post(url, {"action": "disable", "_selected_action": chosen})
    disabled = User.objects.filter(is_active=False)
    assert set(disabled) == {city.head, city.reporter}
    assert all(user.session_generation == 1 for user in disabled)
    admin.post(url, {"action": "enable", "_selected_action": chosen})
    assert not User.objects.filter(is_active=False).exists()


def test_the_superuser_is_no_business_of_the_administrators(admin, city):
    root = make_user(is_superuser=True, username="root")
    url = reverse("admin:organizations_user_change", args=[root.pk])
    assert admin.get(url).status_code == 302
    assert "root" not in admin.get(reverse("admin:organizations_user_changelist")).content.decode()


def test_unions_are_narrowed_by_county(admin, city):
    url = reverse("admin:organizations_organization_changelist")
    found = admin.get(url, {"county": city.other_county.path}).context["cl"].result_list
    assert {union.code for union in found} == {
        city.other_county.code,
        city.other_township.code,
        city.foreign.code,
    }
    everything = admin.get(url, {"county": "x"}).context["cl"].result_count
    assert everything == Organization.objects.count()


@pytest.mark.parametrize("model", ["organization", "user"])
def test_what_is_typed_into_a_search_field_finds_rows(admin, city, model):
    fields = {"app_label": "organizations", "model_name": "membership", "field_name": model}
    url = reverse("admin:autocomplete")
    text = {"organization": "sljxzz", "user": "李主席"}[model]
    results = admin.get(url, fields | {"term": text}).json()["results"]
    assert [int(row["id"]) for row in results] == [
        {"organization": city.own.pk, "user": city.head.pk}[model]
    ]


def test_accounts_are_never_deleted(admin, city):
    url = reverse("admin:organizations_user_delete", args=[city.head.pk])
    assert admin.post(url, {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=city.head.pk).exists()


def test_nobody_sets_anothers_password(admin, city):
    """A first password is issued on the account's page in the portal."""
    before = User.objects.get(pk=city.head.pk).password
    url = f"/admin/organizations/user/{city.head.pk}/"
    fields = {"password1": "a-Long-and-dull-1", "password2": "a-Long-and-dull-1"}
    admin.post(f"{url}password/", fields)
    admin.post(f"{url}change/", {"username": "x", "full_name": "y", "password": "z"})
    assert User.objects.get(pk=city.head.pk).password == before
