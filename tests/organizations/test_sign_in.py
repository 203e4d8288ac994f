"""Signing in: what is typed, what a failure tells, and when one is locked out."""

import datetime as dt

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db.models import F
from django.test import Client, RequestFactory
from django.urls import reverse

from organizations import first_passwords, sign_in
from organizations.lockout import client_address
from organizations.models import AuditEvent, User
from tests.factories import make_user

pytestmark = pytest.mark.django_db
PASSWORD = "Plough-the-field-1"
LOCKED = "该用户名已暂时锁定。请 15 分钟后再试"
WRONG = "用户名或密码不正确"


@pytest.fixture
def user(city):
    user = make_user(username="zhangsan", name="张三")
    user.set_password(PASSWORD)
    user.save()
    return user


def enter(client=None, username="zhangsan", password=PASSWORD, **extra):
    """`address`: where the request seems to come from."""
    address = extra.pop("address", "10.0.0.1")
    client = client or Client()
    data = {"username": username, "password": password} | extra
    return client.post(reverse("login"), data, REMOTE_ADDR=address)


def fail(times, **where):
    for _ in range(times):
        response = enter(password="wrong", **where)
    return response


def pass_minutes(number):
    """Everything that was counted moves so far into the past."""
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - dt.timedelta(minutes=number))


def page(response):
    return response.content.decode()


# --- What is typed --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    ["zhangsan", " zhangsan ", "ｚｈａｎｇｓａｎ", "zhang san", "zhangsan\u200b", "　zhangsan"],
)
def test_a_username_is_taken_however_it_is_typed(user, typed):
    assert enter(username=typed).status_code == 302


@pytest.mark.parametrize("username", ["x" * 151, "x\0", "", "' OR 1=1 --", "字" * 150, "💥"])
@pytest.mark.parametrize("password", ["wrong", "x\0y", "", "长" * 5000])
def test_nonsense_signs_nobody_in(user, username, password):
    response = enter(username=username, password=password)
    assert response.status_code == 200
    assert not response.wsgi_request.user.is_authenticated


def test_whoever_is_signed_in_is_led_on(client, user):
    enter(client)
    assert client.get(reverse("login")).url == "/"
    assert client.get(reverse("login") + "?next=/policy/").url == "/policy/"
    assert client.get(reverse("login") + "?next=//evil.example/").url == "/"


# --- What a failure tells -------------------------------------------------------------------------


@pytest.fixture
def accounts(user, city):
    """Every kind of account, and none, by the username that is typed."""
    disabled = make_user(username="disabled")
    disabled.set_password(PASSWORD)
    disabled.is_active = False
    disabled.save()
    first_passwords.issue(make_user(username="issued"), by=city.admin)
    make_user(username="no-password")
    return {
        "zhangsan": "wrong",
        "disabled": PASSWORD,
        "issued": "wrong",
        "no-password": "wrong",
        "nobody-here": "wrong",
    }


def body_for(username, response):
    """The page without what differs by itself: the token, and the username that was typed."""
    token = response.context["csrf_token"]
    return page(response).replace(str(token), "").replace(username, "")


def test_a_failure_looks_the_same_whatever_the_account(accounts):
    answers = {
        (response.status_code, body_for(username, response))
        for username, password in accounts.items()
        for response in [enter(username=username, password=password)]
    }
    assert len(answers) == 1
    assert WRONG in answers.pop()[1]


def test_a_failure_costs_one_hash_whatever_the_account(accounts, monkeypatch):
    hashed = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher,
        "encode",
        lambda self, password, salt: hashed.append(password) or encode(self, password, salt),
    )
    for username, password in accounts.items():
        hashed.clear()
        enter(username=username, password=password)
        assert len(hashed) == 1, username


def test_a_lock_out_looks_the_same_whatever_the_account(accounts):
    answers = set()
    for username, password in accounts.items():
        for _ in range(5):
            response = enter(username=username, password=password)
        answers.add((response.status_code, body_for(username, response)))
    assert len(answers) == 1
    assert LOCKED in answers.pop()[1]


# --- Locked out -----------------------------------------------------------------------------------


def test_five_failures_lock_the_account(user):
    assert WRONG in page(fail(4))
    locked = fail(1)
    assert (locked.status_code, locked["Retry-After"]) == (429, "900")
    assert LOCKED in page(locked)
    assert "管理员解除锁定" in page(locked)
    right = enter()
    assert (right.status_code, right.wsgi_request.user.is_authenticated) == (429, False)
    assert sign_in.is_locked("zhangsan")


def test_from_anywhere_and_by_any_browser(user):
    for number in range(5):
        client = Client(headers={"user-agent": f"browser {number}"})
        enter(client, password="wrong", address=f"10.0.0.{number}")
    assert enter(address="10.9.9.9").status_code == 429


def test_however_the_username_is_typed(user):
    for typed in ["zhangsan", " zhangsan", "ｚｈａｎｇｓａｎ", "zhang san", "zhangsan\u200b"]:
        enter(username=typed, password="wrong")
    assert enter().status_code == 429


def test_others_at_the_same_address_are_not_locked_out(user, city):
    fail(5, username="somebody")
    assert enter().status_code == 302


def test_a_success_forgives_the_accounts_failures_only(user):
    fail(4, username="victim")
    fail(4)
    assert enter().status_code == 302
    assert WRONG in page(fail(4))
    assert fail(1, username="victim").status_code == 429


def test_it_ends_after_a_quarter_of_an_hour_and_knocking_does_not_prolong_it(user):
    fail(5)
    pass_minutes(14)
    assert fail(10).status_code == 429
    pass_minutes(2)
    assert enter().status_code == 302


def test_an_administrator_ends_it(user, city):
    fail(5)
    sign_in.unlock(user, by=city.admin)
    assert not sign_in.is_locked("zhangsan")
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.actor) == ("UNLOCKED", city.admin)
    assert event.chain.key == f"organizations.user:{user.pk}"
    assert enter().status_code == 302


def test_unlocking_one_account_unlocks_no_other(user, city):
    fail(5)
    fail(5, username="other")
    sign_in.unlock(user, by=city.admin)
    assert sign_in.is_locked("other")


def test_an_address_with_many_failures_is_locked_for_everybody(user, settings):
    settings.LOCKOUT_ADDRESS_FAILURES = 6
    for number in range(6):
        response = enter(username=f"guess{number}", password="wrong", address="10.0.0.66")
    assert response.status_code == 429
    locked = enter(address="10.0.0.66")
    assert locked.status_code == 429
    assert "从这个网络登录失败的次数过多" in page(locked)
    assert enter(address="10.0.0.67").status_code == 302
    pass_minutes(16)
    assert enter(address="10.0.0.66").status_code == 302


def test_somebodys_success_does_not_unlock_their_address(user, settings):
    settings.LOCKOUT_ADDRESS_FAILURES = 6
    for number in range(5):
        enter(username=f"guess{number}", password="wrong")
    assert enter().status_code == 302
    assert enter(username="guess9", password="wrong").status_code == 429


def test_a_request_without_an_address_is_held_by_the_accounts_limit(user, settings):
    settings.LOCKOUT_ADDRESS_FAILURES = 2
    for number in range(3):
        enter(username=f"guess{number}", password="wrong", address="")
    assert fail(5, address="").status_code == 429


# --- Where a request comes from -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behind_proxy", "forwarded", "address"),
    [
        (False, "1.2.3.4", "10.0.0.1"),
        (True, "1.2.3.4", "1.2.3.4"),
        (True, "9.9.9.9, 1.2.3.4", "1.2.3.4"),
        (True, "9.9.9.9,8.8.8.8 ,  1.2.3.4 ", "1.2.3.4"),
        (True, "2001:db8::1", "2001:db8::1"),
        (True, "::ffff:1.2.3.4", "1.2.3.4"),
        (True, "fe80::1%eth0", "fe80::1"),
        (True, "1.2.3.4, nonsense", "10.0.0.1"),
        (True, "'; DROP TABLE", "10.0.0.1"),
        (True, "", "10.0.0.1"),
        (True, None, "10.0.0.1"),
    ],
)
def test_only_the_proxys_own_word_counts(settings, behind_proxy, forwarded, address):
    settings.BEHIND_PROXY = behind_proxy
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR="10.0.0.1")
    assert client_address(request) == address


@pytest.mark.parametrize("behind_proxy", [True, False])
def test_a_made_up_header_does_not_evade_the_lock(user, settings, behind_proxy):
    settings.BEHIND_PROXY = behind_proxy
    settings.LOCKOUT_ADDRESS_FAILURES = 4
    for number in range(5):
        client = Client(headers={"x-forwarded-for": f"203.0.113.{number}, 198.51.100.7"})
        response = enter(client, username=f"guess{number}", password="wrong")
    assert response.status_code == 429


# --- What is kept ---------------------------------------------------------------------------------


def test_no_password_and_no_request_is_kept(user):
    secret = "In-the-wrong-field-1"
    client = Client()
    address = reverse("login") + f"?secret={secret}"
    for _ in range(2):
        client.post(address, {"username": "zhangsan", "password": secret, "other": secret})
    enter(client)
    fail(1)
    for model in (AccessAttempt, AccessFailureLog, AccessLog):
        rows = list(model.objects.values())
        assert rows
        assert secret not in str(rows)
    assert set(AccessAttempt.objects.values_list("get_data", "post_data")) == {("", "")}


def test_signing_in_and_out_is_on_record(client, user):
    enter(client)
    client.post(reverse("logout"))
    entry = AccessLog.objects.get()
    assert (entry.username, entry.ip_address) == ("zhangsan", "10.0.0.1")
    assert entry.logout_time is not None


def test_the_back_office_shows_nothing_of_the_libraries(client):
    """Neither sessions nor second factors nor failures, even to a superuser."""
    apps = {model._meta.app_label for model in admin.site._registry}
    assert apps == {"organizations", "assessments"}
    client.force_login(User.objects.create_superuser("root", full_name="根"))
    for address in ("axes/accessattempt", "otp_totp/totpdevice", "otp_static/staticdevice"):
        assert client.get(f"/admin/{address}/").status_code == 404


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
            "Chrome · Windows",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0",
            "Edge · Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) MicroMessenger/8.0.49",
            "微信 · iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 14; HUAWEI) Chrome/114.0 Mobile Safari", "Chrome · 安卓"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
            "Firefox · Linux",
        ),
        ("<script>alert(1)</script>", "未知"),
        ("", "未知"),
    ],
)
def test_browsers_have_short_names(user_agent, name):
    assert sign_in.browser(user_agent) == name
