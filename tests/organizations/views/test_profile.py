"""个人设置: one's own name, roles, address and sign-ins, and nobody else's."""

import pytest
from axes.models import AccessLog
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import make_user

pytestmark = pytest.mark.django_db
PROFILE = "/accounts/profile/"
PASSWORD = "Plough-the-field-1"
CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"


@pytest.fixture
def user(city):
    city.head.set_password(PASSWORD)
    city.head.save()
    return city.head


def sign_in(user, password=PASSWORD, address="10.0.0.1"):
    client = Client(headers={"user-agent": CHROME})
    data = {"username": user.username, "password": password}
    client.post(reverse("login"), data, REMOTE_ADDR=address)
    return client


def page(client):
    return client.get(PROFILE).content.decode()


def test_it_shows_ones_name_and_roles(user, city):
    shown = page(sign_in(user))
    assert "李主席" in shown
    assert f"用户名 {user.username}" in shown
    assert f'<td class="name">{city.own.name}</td>' in shown
    assert "负责人" in shown


def test_every_page_leads_there(user):
    home = sign_in(user).get("/").content.decode()
    assert '<a href="/accounts/profile/">李主席</a>' in home
    assert "修改密码" in home


def test_it_shows_ones_own_sign_ins_good_and_bad(user, city):
    sign_in(user, password="wrong", address="203.0.113.9")
    sign_in(city.reporter, password="wrong", address="198.51.100.1")
    client = sign_in(user)
    lines = client.get(PROFILE).context["sign_ins"]
    assert [(line.succeeded, line.address, line.browser) for line in lines] == [
        (True, "10.0.0.1", "Chrome · Windows"),
        (False, "203.0.113.9", "Chrome · Windows"),
    ]
    assert "198.51.100.1" not in page(client)


@pytest.mark.parametrize("count", [1, 30])
def test_it_costs_the_same_however_often_one_has_signed_in(user, count):
    AccessLog.objects.bulk_create(
        AccessLog(username=user.username, user_agent=f"<b>{number}</b>") for number in range(count)
    )
    client = sign_in(user)
    with CaptureQueriesContext(connection) as queries:
        response = client.get(PROFILE)
    assert len(queries) == 7
    assert len(response.context["sign_ins"]) == min(count + 1, 20)
    assert "<b>" not in response.content.decode().replace("<body", "")


def test_ones_email_address_can_be_set_and_removed(user):
    client = sign_in(user)
    for email in ("li@example.com", ""):
        assert client.post(PROFILE, {"email": email}).url == PROFILE
        user.refresh_from_db()
        assert user.email == email


def test_reminders_by_mail_are_on_until_one_switches_them_off(user):
    client = sign_in(user)
    assert user.wants_mail
    assert 'name="wants_mail"' in page(client)
    assert "checked" in page(client)
    for sent, wants in (({}, False), ({"wants_mail": "on"}, True)):
        client.post(PROFILE, {"email": "li@example.com"} | sent)
        user.refresh_from_db()
        assert user.wants_mail is wants


@pytest.mark.parametrize("email", ["not-an-address", "a@b", "x" * 250 + "@example.com", "a\0@b.cn"])
def test_a_wrong_address_is_not_stored(user, email):
    client = sign_in(user)
    response = client.post(PROFILE, {"email": email})
    assert response.status_code == 200
    assert "is-invalid" in response.content.decode()
    user.refresh_from_db()
    assert user.email == ""


def test_nothing_else_can_be_changed(user, city):
    other = make_user(username="other")
    fields = {
        "email": "li@example.com",
        "full_name": "假名",
        "username": "admin",
        "is_superuser": "on",
        "must_change_password": "",
        "pk": other.pk,
        "id": other.pk,
    }
    sign_in(user).post(PROFILE, fields)
    before = (user.full_name, user.username, user.password)
    user.refresh_from_db()
    assert (user.full_name, user.username, user.password) == before
    assert not user.is_superuser
    other.refresh_from_db()
    assert other.email == ""
