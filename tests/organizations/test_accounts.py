"""Signing in and out, and what a stranger gets."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_user

pytestmark = pytest.mark.django_db
PASSWORD = "a-Long-and-dull-1"


@pytest.fixture
def user(city):
    user = make_user(name="张三", username="zhangsan")
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(client, **fields):
    return client.post(reverse("login"), {"username": "zhangsan", "password": PASSWORD} | fields)


def test_sign_in_leads_to_the_workbench(client, user):
    assert sign_in(client).url == "/"
    assert "张三" in client.get("/").content.decode()


def test_sign_in_leads_back_to_where_one_was(client, user):
    assert sign_in(client, next="/oversight/").url == "/oversight/"


def test_sign_in_leads_to_no_other_host(client, user):
    assert sign_in(client, next="https://example.com/").url == "/"


@pytest.mark.parametrize("fields", [{"password": "wrong"}, {"username": "nobody-here"}])
def test_a_failed_sign_in_does_not_tell_which_part_is_wrong(client, user, fields):
    response = sign_in(client, **fields)
    assert "用户名或密码不正确" in response.content.decode()


def test_a_disabled_account_cannot_sign_in(client, user):
    user.is_active = False
    user.save()
    assert "用户名或密码不正确" in sign_in(client).content.decode()


def test_signing_out_takes_a_post(client, user):
    client.force_login(user)
    assert client.get(reverse("logout")).status_code == 405
    client.post(reverse("logout"))
    assert client.get("/").url == "/accounts/login/?next=/"


@pytest.mark.parametrize("path", ["/", "/oversight/", "/reviews/", "/summary/", "/no/such/page/"])
def test_without_signing_in_nothing_is_shown(client, db, path):
    response = client.get(path)
    assert response.status_code in (302, 404)
    if response.status_code == 302:
        assert response.url.startswith("/accounts/login/")


def test_policy_and_health_are_open(client, db):
    assert "指导思想" in client.get("/policy/").content.decode()
    assert client.get("/health/").content == b"ok"


def test_a_user_without_a_role_is_told_whom_to_ask(client, user):
    client.force_login(user)
    assert "还没有分配工会和角色" in client.get("/").content.decode()


def test_changing_the_password(client, user):
    client.force_login(user)
    short = {"old_password": PASSWORD, "new_password1": "12345", "new_password2": "12345"}
    assert client.post(reverse("password_change"), short).status_code == 200
    new = "another-Dull-one-2"
    fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post(reverse("password_change"), fields).status_code == 302
    user.refresh_from_db()
    assert user.check_password(new)


def test_a_stale_form_is_answered_in_chinese(user):
    strict = Client(enforce_csrf_checks=True)
    response = strict.post(reverse("login"), {"username": "a", "password": "b"})
    assert response.status_code == 403
    assert "页面已经过期" in response.content.decode()


def test_not_found_is_answered_in_chinese(client, user):
    client.force_login(user)
    response = client.get("/no/such/page/")
    assert response.status_code == 404
    assert "没有找到" in response.content.decode()


def test_pages_forbid_foreign_content(client, user):
    response = client.get(reverse("login"))
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "DENY"
