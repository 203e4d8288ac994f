"""What a session may open: not after a long idleness, not before an own password is set."""

import time

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from organizations import sessions
from organizations.choices import Role
from organizations.models import AuditEvent, Membership, User

pytestmark = pytest.mark.django_db
ADDRESSES = ["/", "/oversight/", "/organizations/", "/admin/", "/admin/password_change/"]


@pytest.fixture
def head(client, city):
    client.force_login(city.head)
    return client


def grow_idle(client, minutes):
    session = client.session
    session["last_seen"] = time.time() - minutes * 60
    session.save()


# --- Idle -----------------------------------------------------------------------------------------


def test_an_idle_session_ends_and_leads_back(head):
    grow_idle(head, 32)
    response = head.get("/oversight/?q=x", follow=True)
    assert response.redirect_chain == [("/accounts/login/?next=/oversight/%3Fq%3Dx", 302)]
    assert "因长时间未操作已自动退出" in response.content.decode()
    assert head.get("/").url == "/accounts/login/?next=/"


def test_a_form_that_was_sent_too_late_leads_back_to_its_page(head):
    grow_idle(head, 32)
    headers = {"referer": "http://testserver/oversight/?page=2"}
    response = head.post("/accounts/identity/", headers=headers)
    assert response.url == "/accounts/login/?next=/oversight/%3Fpage%3D2"


@pytest.mark.parametrize("referer", ["https://evil.example/x", "//evil.example", "javascript:1"])
def test_a_foreign_referer_is_not_believed(head, referer):
    grow_idle(head, 32)
    response = head.post("/accounts/identity/", headers={"referer": referer})
    assert response.url == "/accounts/login/?next=/accounts/identity/"


def test_a_sign_of_life_keeps_it(head):
    for _ in range(3):
        grow_idle(head, 29)
        assert head.post(reverse("alive")).status_code == 204
    assert head.get("/").status_code == 200


def test_a_sign_of_life_comes_too_late(head):
    grow_idle(head, 32)
    assert head.post(reverse("alive")).status_code == 302
    assert head.get("/").status_code == 302


def test_it_can_be_switched_off(head, settings):
    settings.IDLE_MINUTES = 0
    grow_idle(head, 300)
    response = head.get("/")
    assert response.status_code == 200
    assert "data-idle-seconds" not in response.content.decode()


def test_activity_is_written_down_once_a_minute(head):
    def writes():
        with CaptureQueriesContext(connection) as queries:
            head.get("/policy/")
        return [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]

    assert writes() == []
    grow_idle(head, 2)
    assert len(writes()) == 1
    assert writes() == []


def test_the_busiest_session_ends_after_its_hours(head, settings):
    before = Session.objects.get().expire_date
    grow_idle(head, 20)
    head.get("/")
    assert Session.objects.get().expire_date == before
    settings.SESSION_COOKIE_AGE = 1
    assert Session.objects.get().expire_date == before


# --- An own password first ------------------------------------------------------------------------


@pytest.fixture
def held(head, city):
    User.objects.filter(pk=city.head.pk).update(must_change_password=True)
    return head


def every_address(resolver=None, prefix="/"):
    """Each address that takes no argument, the back office's too."""
    for pattern in (resolver or get_resolver()).url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from every_address(pattern, path)
        elif isinstance(pattern, URLPattern) and not set("<(^") & set(path):
            yield path, getattr(pattern.callback, "login_required", True)


@pytest.mark.parametrize("method", ["get", "post"])
def test_nothing_opens_before_but_what_is_open_to_all(held, method):
    page = reverse("password_change")
    passable = {page, reverse("logout"), reverse("alive")}
    closed = {path for path, needs_sign_in in every_address() if needs_sign_in} - passable
    assert {"/", "/admin/", "/admin/organizations/user/", reverse("profile")} <= closed
    for path in closed:
        response = getattr(held, method)(path)
        assert response.status_code == 302, path
        assert response.url.startswith(f"{page}?next="), path


def test_nor_anything_with_an_argument(held, city):
    for path in (f"/organizations/{city.own.pk}/", f"/admin/organizations/user/{city.head.pk}/"):
        assert held.get(path).url.startswith(reverse("password_change"))


def test_the_way_out_stays_open(held):
    page = held.get(reverse("password_change"))
    assert page.status_code == 200
    assert 'aria-label="主菜单"' not in page.content.decode()
    assert held.get("/policy/").status_code == 200
    assert held.get("/health/").status_code == 200
    assert held.post(reverse("alive")).status_code == 204
    assert held.post(reverse("logout")).url == "/accounts/login/"


def test_a_page_that_does_not_exist_shows_no_menu(held):
    response = held.get("/no/such/page/")
    assert response.status_code == 404
    assert 'aria-label="主菜单"' not in response.content.decode()


# --- Ending sessions ------------------------------------------------------------------------------


def test_a_disabled_users_session_ends_and_does_not_come_back(head, city):
    User.objects.filter(pk=city.head.pk).update(is_active=False)
    sessions.end_all(city.head)
    assert head.get("/").url == "/accounts/login/?next=/"
    User.objects.filter(pk=city.head.pk).update(is_active=True)
    assert head.get("/").url == "/accounts/login/?next=/"


def test_other_devices_are_signed_out(head, city):
    elsewhere, another_user = Client(), Client()
    elsewhere.force_login(city.head)
    another_user.force_login(city.reporter)
    assert head.post(reverse("sessions_end")).url == reverse("profile")
    assert head.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    assert another_user.get("/").status_code == 200
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.actor) == ("SESSIONS_ENDED", city.head)


# --- Acting for one of several unions -------------------------------------------------------------


@pytest.fixture
def several(head, city):
    """The head of one union who reports for another."""
    Membership.objects.create(user=city.head, organization=city.foreign, role=Role.REPORTER)
    return head


def switch(client, union, **fields):
    key = getattr(union, "pk", union)
    return client.post(reverse("identity_switch"), {"organization": key} | fields)


def unions_of(client):
    user = client.get("/").wsgi_request.user
    return {role.organization for role in user.roles}


def test_one_acts_for_one_union_and_for_all_again(several, city):
    assert unions_of(several) == {city.own, city.foreign}
    assert switch(several, city.foreign).url == "/"
    assert unions_of(several) == {city.foreign}
    assert several.get(f"/organizations/{city.own.pk}/").status_code == 404
    assert switch(several, "", next="/policy/").url == "/policy/"
    assert unions_of(several) == {city.own, city.foreign}


def test_the_menu_says_for_whom(several, city):
    switch(several, city.foreign)
    page = several.get("/").content.decode()
    assert f'<option value="{city.foreign.pk}" selected>{city.foreign.name}</option>' in page
    assert city.own.name in page


@pytest.mark.parametrize("key", ["0", "-1", "x", "1 OR 1=1", "9" * 40, "１", "\0"])
def test_nobody_acts_for_a_union_without_a_role_there(several, city, key):
    assert switch(several, city.sibling).status_code == 404
    assert switch(several, key).status_code == 404
    assert unions_of(several) == {city.own, city.foreign}


def test_it_leads_to_no_other_host(several, city):
    assert switch(several, city.own, next="https://evil.example/").url == "/"


def test_a_role_that_is_taken_away_is_no_longer_acted_in(several, city):
    switch(several, city.foreign)
    Membership.objects.filter(user=city.head, organization=city.foreign).delete()
    assert unions_of(several) == {city.own}
    assert "acting_for" not in several.session


def test_whoever_has_one_union_gets_no_menu(head):
    assert "identity_switch" not in head.get("/").content.decode()
    assert reverse("identity_switch") not in head.get("/").content.decode()


def test_another_user_in_the_same_browser_starts_afresh(several, city):
    switch(several, city.foreign)
    several.force_login(city.reporter)
    assert "acting_for" not in several.session
