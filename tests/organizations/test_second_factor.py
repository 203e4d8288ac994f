"""The second factor: setting it up, being asked for it, and no way around it."""

import re
import time
from base64 import b32decode

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from organizations import second_factor
from organizations.models import AuditEvent, User
from tests.organizations.test_gate import every_address

pytestmark = pytest.mark.django_db
PASSWORD = "Plough-the-field-1"
ENROL, VERIFY = "/accounts/second-factor/enrol/", "/accounts/second-factor/"
KEY = "3132333435363738393031323334353637383930"


@pytest.fixture
def user(city):
    return with_password(city.head)


def with_password(user):
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def codes(user):
    return second_factor.enrol(user, key=KEY, typed=app_code(KEY))


@pytest.fixture
def browser(user, codes):
    """Signed in with the password; the code is still owed."""
    return signed_in(user)


def signed_in(user):
    client = Client()
    client.post(reverse("login"), {"username": user.username, "password": PASSWORD})
    return client


def app_code(key):
    """What the phone shows now."""
    app = TOTP(bytes.fromhex(key))
    app.time = time.time()
    return f"{app.token():06}"


def wait_a_minute(monkeypatch):
    """For the next code: that of the set-up is used up."""
    now = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: now)


def enter(client, code, **fields):
    return client.post(VERIFY, {"code": code} | fields)


def page(response):
    return response.content.decode()


def shown_key(response):
    return b32decode(
        re.search(r"<code>([A-Z2-7 ]+)</code>", page(response))[1].replace(" ", "")
    ).hex()


def actions():
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


# --- Setting it up --------------------------------------------------------------------------------


def enrol(client, code, password=PASSWORD, **fields):
    return client.post(ENROL, {"code": code, "password": password} | fields)


def test_from_the_picture_to_the_recovery_codes(user):
    client, elsewhere = signed_in(user), signed_in(user)
    first = client.get(ENROL)
    assert 'src="data:image/svg+xml' in page(first)
    key = shown_key(first)
    assert shown_key(client.get(ENROL)) == key, "another tab, or a reload"
    done = enrol(client, app_code(key))
    shown = re.findall(r"<code>(\w{5}-\w{5})</code>", page(done))
    assert len(set(shown)) == 10
    assert client.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    assert key not in str(client.session.items())
    assert actions() == ["SECOND_FACTOR_ENROLLED"]
    assert key not in str(AuditEvent.objects.values())


@pytest.mark.parametrize(
    "code", ["", "000000", "12345", "abcdef", "１２", "-1", "9" * 30, "\0", "٣" * 6]
)
def test_a_wrong_code_sets_nothing_up(user, code):
    client = signed_in(user)
    client.get(ENROL)
    assert enrol(client, code).status_code == 200
    assert not second_factor.is_enrolled(user)
    assert actions() == []


def test_an_unattended_computer_is_not_enough(user):
    client = signed_in(user)
    code = app_code(shown_key(client.get(ENROL)))
    assert "密码不正确" in page(enrol(client, code, password="wrong"))
    assert not second_factor.is_enrolled(user)


def test_guessing_the_password_there_locks_the_account(user):
    client = signed_in(user)
    for _ in range(5):
        enrol(client, "000000", password="wrong")
    code = app_code(shown_key(client.get(ENROL)))
    assert "已暂时锁定" in page(enrol(client, code))


def test_the_secret_reaches_no_other_host_and_no_log_of_addresses(user):
    shown = page(signed_in(user).get(ENROL))
    assert "otpauth:" not in shown
    assert not re.search(r'(src|href|action)="https?://', shown)


def test_a_new_phone_takes_the_place_of_the_old_one(browser, user, codes):
    enter(browser, codes[0])
    key = shown_key(browser.get(ENROL))
    enrol(browser, app_code(key))
    assert TOTPDevice.objects.get(user=user).key == key
    assert StaticToken.objects.count() == 10
    assert enter(signed_in(user), codes[1]).status_code == 200


def test_recovery_codes_are_not_kept_in_clear(codes):
    stored = set(StaticToken.objects.values_list("token", flat=True))
    assert len(stored) == 10
    assert stored.isdisjoint({code.replace("-", "") for code in codes} | set(codes))


# --- Being asked ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_password_alone_opens_nothing(browser, method):
    passable = {VERIFY, reverse("logout"), reverse("alive")}
    closed = {path for path, needs_sign_in in every_address() if needs_sign_in} - passable
    others = {"/admin/", "/admin/password_change/", ENROL, reverse("password_change")}
    assert others | {reverse("second_factor_disable"), reverse("sessions_end")} <= closed
    for path in closed:
        response = getattr(browser, method)(path)
        assert response.status_code == 302, path
        assert response.url.startswith(f"{VERIFY}?next="), path


def test_the_apps_code_opens_the_page_that_was_asked_for(browser, monkeypatch):
    assert browser.get("/oversight/").url == f"{VERIFY}?next=/oversight/"
    assert 'aria-label="主菜单"' not in page(browser.get(VERIFY))
    old_session = browser.session.session_key
    wait_a_minute(monkeypatch)
    assert enter(browser, app_code(KEY), next="/oversight/").url == "/oversight/"
    assert browser.get("/oversight/").status_code == 200
    assert not Session.objects.filter(session_key=old_session).exists()
    assert browser.get(VERIFY).status_code == 404


def test_it_leads_to_no_other_host(browser, codes):
    assert enter(browser, codes[0], next="https://evil.example/").url == "/"


@pytest.mark.parametrize("typed", [str, lambda code: f" {code[:3]} {code[3:]} "])
def test_a_code_is_taken_with_blanks(browser, monkeypatch, typed):
    wait_a_minute(monkeypatch)
    assert enter(browser, typed(app_code(KEY))).status_code == 302


def test_a_code_is_good_once(browser, user, monkeypatch):
    wait_a_minute(monkeypatch)
    code = app_code(KEY)
    assert enter(browser, code).status_code == 302
    assert enter(signed_in(user), code).status_code == 200


def test_the_code_of_the_set_up_is_used_up_too(user):
    code = app_code(KEY)
    second_factor.enrol(user, key=KEY, typed=code)
    assert enter(signed_in(user), code).status_code == 200


def test_a_recovery_code_is_good_once_and_on_record(browser, user, codes):
    assert enter(browser, codes[3].lower().replace("-", " ")).url == "/"
    assert actions()[-1] == "RECOVERY_CODE_USED"
    assert second_factor.recovery_codes_left(user) == 9
    again = signed_in(user)
    assert enter(again, codes[3]).status_code == 200
    assert again.get("/").status_code == 302


def test_nobody_elses_code_is_taken(browser, city):
    theirs = second_factor.enrol(city.reporter, key=KEY, typed=app_code(KEY))
    assert enter(browser, theirs[0]).status_code == 200
    assert browser.get("/").status_code == 302


@pytest.mark.parametrize("code", ["", "000000", "AAAAA-BBBBB", "x" * 41, "\0", "' OR ''='", "💥"])
def test_nonsense_opens_nothing(browser, code):
    assert enter(browser, code).status_code == 200
    assert browser.get("/").status_code == 302


def test_guessing_is_slowed_down(browser, monkeypatch):
    wait_a_minute(monkeypatch)
    right = app_code(KEY)
    wrong = f"{(int(right) + 500_000) % 1_000_000:06}"
    assert "不正确" in page(enter(browser, wrong))
    assert re.search(r"请 \d+ 秒后再试", page(enter(browser, right)))
    assert browser.get("/").status_code == 302
    TOTPDevice.objects.update(throttling_failure_timestamp=None)
    assert enter(browser, right).status_code == 302


def test_another_sign_in_in_the_same_browser_owes_it_again(browser, user, codes):
    enter(browser, codes[0])
    browser.post(reverse("logout"))
    browser.post(reverse("login"), {"username": user.username, "password": PASSWORD})
    assert browser.get("/").url.startswith(VERIFY)


def test_a_session_from_before_is_no_way_around(user, client):
    """Whatever made the session, it is asked."""
    second_factor.enrol(user, key=KEY, typed=app_code(KEY))
    client.force_login(User.objects.get(pk=user.pk))
    session = client.session
    session.pop("second_factor", None)
    session.save()
    assert client.get("/").url.startswith(VERIFY)


def test_an_own_password_comes_first(browser, user):
    User.objects.filter(pk=user.pk).update(must_change_password=True)
    assert browser.get("/").url.startswith(reverse("password_change"))
    assert browser.get(VERIFY).url.startswith(reverse("password_change"))


# --- Taking it away -------------------------------------------------------------------------------


def test_one_takes_ones_own_away_with_the_password(browser, user, codes):
    enter(browser, codes[0])
    address = reverse("second_factor_disable")
    assert "密码不正确" in page(browser.post(address, {"password": "wrong"}))
    assert second_factor.is_enrolled(user)
    assert browser.post(address, {"password": PASSWORD}).url == reverse("profile")
    assert not second_factor.is_enrolled(user)
    assert actions()[-1] == "SECOND_FACTOR_DISABLED"
    assert signed_in(user).get("/").status_code == 200


def test_new_recovery_codes_void_the_old_ones(browser, user, codes):
    enter(browser, codes[0])
    address = reverse("second_factor_codes")
    assert browser.post(address, {"password": "wrong"}).status_code == 200
    assert second_factor.recovery_codes_left(user) == 9
    new = re.findall(
        r"<code>(\w{5}-\w{5})</code>", page(browser.post(address, {"password": PASSWORD}))
    )
    assert len(new) == 10
    again = signed_in(user)
    assert enter(again, codes[1]).status_code == 200
    StaticToken.objects.first().device.throttle_reset()
    assert enter(again, new[0]).status_code == 302


def test_an_administrator_resets_it(browser, user, city):
    second_factor.reset(user, by=city.admin)
    assert not second_factor.is_enrolled(user)
    assert browser.get("/").url.startswith("/accounts/login/")
    assert signed_in(user).get("/").status_code == 200
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.actor) == ("SECOND_FACTOR_RESET", city.admin)


def test_without_one_the_pages_about_it_do_not_exist(user):
    client = signed_in(user)
    for name in ("second_factor_verify", "second_factor_disable", "second_factor_codes"):
        assert client.get(reverse(name)).status_code == 404


# --- Required at the city federation --------------------------------------------------------------


@pytest.fixture
def required(settings):
    settings.SECOND_FACTOR = "city"


def test_the_city_must_have_it_and_others_may(required, city, client):
    for name, user in city.users().items():
        expected = name in {"reviewer", "other_reviewer", "lead", "admin", "leader"}
        assert second_factor.is_required(user) == expected, name
    assert second_factor.is_required(User(is_superuser=True))
    client.force_login(city.head)
    assert client.get("/").status_code == 200


def test_who_must_have_it_sets_it_up_before_anything_else(required, city):
    client = signed_in(with_password(city.admin))
    for path in ("/", "/admin/", "/oversight/", reverse("profile"), reverse("password_change")):
        assert client.get(path).url.startswith(f"{ENROL}?next="), path
        assert client.post(path).url.startswith(f"{ENROL}?next="), path
    first = client.get(ENROL + "?next=/admin/")
    assert "市总工会账号登录时" in page(first)
    assert 'aria-label="主菜单"' not in page(first)
    done = enrol(client, app_code(shown_key(first)), next="/admin/")
    assert 'href="/admin/"' in page(done)
    assert client.get("/admin/").status_code == 200


def test_who_must_have_it_cannot_take_it_away(required, city):
    admin = with_password(city.admin)
    codes = second_factor.enrol(admin, key=KEY, typed=app_code(KEY))
    client = signed_in(admin)
    enter(client, codes[0])
    assert client.post(reverse("second_factor_disable"), {"password": PASSWORD}).status_code == 404
    assert second_factor.is_enrolled(admin)
    assert reverse("second_factor_disable") not in page(client.get(reverse("profile")))


def test_acting_for_another_union_is_no_way_around(required, city, client):
    admin = city.admin
    admin.memberships.create(organization=city.own, role="REPORTER")
    client.force_login(admin)
    session = client.session
    session["acting_for"] = city.own.pk
    session.save()
    assert client.get("/").url.startswith(ENROL)


def test_the_duty_reaches_sessions_that_are_open(city, client, settings):
    client.force_login(city.admin)
    assert client.get("/").status_code == 200
    settings.SECOND_FACTOR = "city"
    assert client.get("/").url.startswith(ENROL)


def test_switched_off_it_is_neither_asked_nor_offered(browser, settings):
    settings.SECOND_FACTOR = "off"
    assert browser.get("/").status_code == 200
    assert browser.get(ENROL).status_code == 404
    assert browser.get(VERIFY).status_code == 404
    assert "二次验证" not in page(browser.get(reverse("profile")))
