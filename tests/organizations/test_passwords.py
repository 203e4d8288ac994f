"""What a password must be like, how it is kept, and what an own one ends."""

import pytest
from django.contrib.auth import password_validation
from django.contrib.auth.hashers import check_password, identify_hasher, make_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from liuhao_portal import settings as portal_settings
from organizations import passwords
from organizations.models import AuditEvent, PasswordRecord, User
from tests.factories import make_user

pytestmark = pytest.mark.django_db
OLD, NEW = "Plough-the-field-1", "Reap-the-corn-2"


@pytest.fixture
def user(city):
    user = make_user(username="zhangsan", name="张三", email="zhang.san@example.com")
    user.set_password(OLD)
    user.save()
    return user


def change(client, new=NEW, **fields):
    both = {"new_password1": new, "new_password2": new}
    return client.post(reverse("password_change"), {"old_password": OLD} | both | fields)


# --- What it must be like -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("Short-1", "至少要有 10 个字符"),
        ("Only-letters-here", "同时包含字母和数字"),
        ("1234567890-+-+", "同时包含字母和数字"),
        ("lowercase12", "至少占三类"),
        ("UPPERCASE12", "至少占三类"),
        ("4726193850", "只包含数字"),
        ("Password123", "太常见"),
        ("Zhangsan-2026", "太相似"),
        ("Zhang.San@1", "太相似"),
        ("With-a-bell-\a-1", "控制字符"),
        ("With-a-nul-\0-1", "控制字符"),
        ("", "至少要有 10 个字符"),
    ],
)
def test_a_weak_password_is_refused_in_chinese(user, password, message):
    with pytest.raises(ValidationError) as caught:
        password_validation.validate_password(password, user)
    assert message in "".join(caught.value.messages)
    assert not any("password" in text for text in caught.value.messages)


@pytest.mark.parametrize(
    "password",
    [NEW, "mixedCASE12", "工会-union-2026", "with blanks 12", "pässwörd-über-7", "🔑lower-case-1"],
)
def test_a_good_password_is_taken(user, password):
    password_validation.validate_password(password, user)


def test_a_user_who_is_not_stored_yet_has_no_history():
    password_validation.validate_password(NEW, User(username="new", full_name="新人"))
    password_validation.validate_password(NEW)


def test_every_rule_is_told_beforehand_in_chinese(client, user):
    client.force_login(user)
    page = client.get(reverse("password_change")).content.decode()
    assert "最近 5 次用过的" in page
    assert "四类中至少占三类" in page
    assert "Your password" not in page


# --- How it is kept -------------------------------------------------------------------------------


def test_passwords_are_kept_by_a_lean_argon2(settings):
    settings.PASSWORD_HASHERS = portal_settings.PASSWORD_HASHERS
    encoded = make_password(NEW)
    assert encoded.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert check_password(NEW, encoded)
    assert not check_password(OLD, encoded)


def test_an_old_hash_still_opens_and_is_renewed_at_the_next_sign_in(client, settings, user):
    settings.PASSWORD_HASHERS = portal_settings.PASSWORD_HASHERS
    user.password = make_password(OLD, hasher="pbkdf2_sha256")
    user.save()
    assert client.post(reverse("login"), {"username": "zhangsan", "password": OLD}).url == "/"
    user.refresh_from_db()
    assert identify_hasher(user.password).algorithm == "argon2"
    assert PasswordRecord.objects.filter(user=user).count() == 1
    assert client.get("/").status_code == 200


# --- None of the last ones ------------------------------------------------------------------------


def test_none_of_the_last_five_comes_again(user):
    earlier = [OLD, *(f"Another-word-{number}" for number in range(5))]
    for password in earlier[1:]:
        passwords.set_own(user, password)
    for password in earlier[1:]:
        with pytest.raises(ValidationError, match="最近 5 次"):
            password_validation.validate_password(password, user)
    password_validation.validate_password(OLD, user)
    assert PasswordRecord.objects.filter(user=user).count() == 5


def test_the_present_password_counts_where_nothing_is_on_record(user):
    PasswordRecord.objects.all().delete()
    with pytest.raises(ValidationError, match="最近 5 次"):
        password_validation.validate_password(OLD, user)


def test_another_users_password_may_be_the_same(user):
    password_validation.validate_password(OLD, make_user())


def test_records_hold_hashes_only(user):
    assert OLD not in PasswordRecord.objects.get(user=user).password


def test_a_superuser_from_the_command_line_is_held_to_the_same(db, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", NEW)
    call_command("createsuperuser", "--no-input", username="root", full_name="根")
    root = User.objects.get(username="root")
    assert not root.must_change_password
    with pytest.raises(ValidationError, match="最近 5 次"):
        password_validation.validate_password(NEW, root)


# --- The page -------------------------------------------------------------------------------------


def test_a_change_ends_other_sessions_and_keeps_this_one(client, user):
    elsewhere = Client()
    for browser in (client, elsewhere):
        browser.force_login(user)
    assert change(client).url == reverse("password_change_done")
    assert client.get("/").status_code == 200
    assert elsewhere.get("/").url == "/accounts/login/?next=/"
    user.refresh_from_db()
    assert user.check_password(NEW)
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.actor, event.details) == ("PASSWORD_SET", user, {})


@pytest.mark.parametrize(
    "fields",
    [
        {"old_password": "wrong"},
        {"new_password2": "Reap-the-corn-3"},
        {"new_password1": OLD, "new_password2": OLD},
        {"new_password1": "A" * 9 + "1", "new_password2": "A" * 9 + "1"},
        {"new_password1": "Nul-\0-in-it-12", "new_password2": "Nul-\0-in-it-12"},
        {"old_password": ""},
    ],
)
def test_a_refused_change_changes_nothing(client, user, fields):
    client.force_login(user)
    assert change(client, **fields).status_code == 200
    user.refresh_from_db()
    assert user.check_password(OLD)
    assert AuditEvent.objects.count() == 0


def test_the_page_shows_no_password_again(client, user):
    client.force_login(user)
    page = change(client, new="Nearly-good", old_password=OLD).content.decode()
    assert OLD not in page
    assert "Nearly-good" not in page


def test_the_back_office_leads_to_the_same_page(client, city):
    client.force_login(city.admin)
    assert client.get("/admin/password_change/").url == reverse("password_change")
    new = {"old_password": "", "new_password1": NEW, "new_password2": NEW}
    client.post("/admin/password_change/", new)
    city.admin.refresh_from_db()
    assert not city.admin.has_usable_password()
