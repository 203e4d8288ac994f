"""First passwords: issued once, good until an own one is set or until they expire."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from organizations import first_passwords
from organizations.models import AuditEvent, FirstPassword, User
from organizations.one_time_codes import ALPHABET
from tests.factories import make_user

pytestmark = pytest.mark.django_db
OWN = "Plough-the-field-1"


@pytest.fixture
def user(city):
    return make_user(username="zhangsan", name="张三")


@pytest.fixture
def issued(user, city):
    return issue(user, city)


def issue(user, city):
    return first_passwords.issue(user, by=city.admin)


def sign_in(client, password, **fields):
    data = {"username": "zhangsan", "password": password} | fields
    return client.post(reverse("login"), data)


def set_own(client, password=OWN, **fields):
    data = {"new_password1": password, "new_password2": password} | fields
    return client.post(reverse("password_change"), data)


def later(**delta):
    FirstPassword.objects.update(expires_at=timezone.now() + dt.timedelta(**delta))


# --- Issuing --------------------------------------------------------------------------------------


def test_it_is_random_legible_and_stored_nowhere(user, city, issued):
    assert re.fullmatch(rf"([{ALPHABET}]{{4}}-){{2}}[{ALPHABET}]{{4}}", issued)
    assert set(ALPHABET).isdisjoint("01ILO")
    row = FirstPassword.objects.get(user=user)
    assert re.fullmatch(r"[0-9a-f]{64}", row.digest)
    assert (row.expires_at - row.issued_at, row.issued_by) == (dt.timedelta(days=30), city.admin)
    assert issued != issue(user, city)


def test_the_record_names_the_account_and_not_the_password(user, city, issued):
    event = AuditEvent.objects.get(action="FIRST_PASSWORD_ISSUED")
    assert event.chain.key == f"organizations.user:{user.pk}"
    assert (event.actor, event.details) == (city.admin, {})


def test_the_same_password_for_two_accounts_leaves_different_digests(user, city, monkeypatch):
    monkeypatch.setattr(first_passwords, "random_code", lambda **_: "AAAA-BBBB-CCCC")
    first_passwords.issue_all([user, city.head], by=city.admin)
    assert len(set(FirstPassword.objects.values_list("digest", flat=True))) == 2


def test_issuing_ends_the_old_password_the_old_slip_and_the_sessions(client, user, city):
    user.set_password(OWN)
    user.save()
    client.force_login(user)
    old = issue(user, city)
    new = issue(user, city)
    assert client.get("/").url == "/accounts/login/?next=/"
    for password, status in [(OWN, 200), (old, 200), (new, 302)]:
        assert sign_in(Client(), password).status_code == status
    user.refresh_from_db()
    assert user.must_change_password
    assert not user.has_usable_password()


def test_saving_the_same_object_afterwards_undoes_nothing(user, city):
    before = user.session_generation
    issue(user, city)
    user.save()
    user.refresh_from_db()
    assert (user.must_change_password, user.has_usable_password()) == (True, False)
    assert user.session_generation == before + 1


def test_many_cost_as_many_queries_as_few(city):
    counts = []
    for size in (2, 300):
        users = User.objects.bulk_create(
            User(username=f"u{size}-{number}", full_name="某") for number in range(size)
        )
        with CaptureQueriesContext(connection) as queries:
            issued = first_passwords.issue_all(users, by=city.admin)
        assert len(set(issued.values())) == size
        assert FirstPassword.objects.filter(user__in=users).count() == size
        counts.append(len(queries))
    assert counts[1] - counts[0] <= 1  # SQLite takes two hundred rows at a time
    event = AuditEvent.objects.latest("pk")
    assert event.chain.key == "general"
    assert event.details == {"count": 300, "keys": sorted(user.pk for user in users)}


def test_nobody_is_a_list_too(city):
    assert first_passwords.issue_all([], by=city.admin) == {}


# --- What is typed --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        str,
        str.lower,
        lambda issued: issued.replace("-", ""),
        lambda issued: f"  {issued.replace('-', ' ')}\t",
        lambda issued: issued.replace("-", "－"),
        lambda issued: "".join(chr(ord(one) + 0xFEE0) for one in issued),
        lambda issued: issued.replace("-", "—"),
    ],
)
def test_it_is_taken_however_it_is_typed(user, issued, typed):
    assert first_passwords.matches(user, typed(issued))


@pytest.mark.parametrize("typed", ["", "-", "AAAA-BBBB-CCCC", "\0", "字" * 100_000, "AAAA" * 9])
def test_anything_else_is_not(user, issued, typed):
    assert not first_passwords.matches(user, typed)
    assert not first_passwords.matches(user, issued + "A")
    assert not first_passwords.matches(user, issued[:-1])


def test_it_is_no_other_accounts(city, issued):
    assert not first_passwords.matches(city.head, issued)
    assert not first_passwords.matches(User(), issued)


# --- The first sign-in ----------------------------------------------------------------------------


def test_from_the_slip_to_the_page_that_was_asked_for(client, user, issued):
    assert sign_in(client, issued, next="/oversight/").url == "/oversight/"
    page = reverse("password_change")
    assert client.get("/oversight/").url == f"{page}?next=/oversight/"
    shown = client.get(f"{page}?next=/oversight/").content.decode()
    assert "设定自己的密码" in shown
    assert "id_old_password" not in shown
    assert set_own(client, next="/oversight/").url == "/oversight/"
    assert client.get("/oversight/").status_code == 200
    user.refresh_from_db()
    assert user.check_password(OWN)
    assert not user.must_change_password
    assert not FirstPassword.objects.exists()


def test_it_is_no_use_once_an_own_password_is_set(client, user, issued):
    sign_in(client, issued)
    set_own(client)
    assert sign_in(Client(), issued).status_code == 200
    assert sign_in(Client(), OWN).status_code == 302


def test_the_first_to_set_a_password_shuts_the_other_out(user, issued):
    """Two people with the same slip, or two tabs."""
    owner, thief = Client(), Client()
    for browser in (owner, thief):
        sign_in(browser, issued)
    assert set_own(owner).status_code == 302
    assert set_own(thief, "Steal-the-corn-2").url.startswith("/accounts/login/")
    user.refresh_from_db()
    assert user.check_password(OWN)


def test_a_password_set_by_other_means_voids_it(client, user, issued):
    user.set_password(OWN)
    user.save()
    assert FirstPassword.objects.exists()
    assert sign_in(client, issued).status_code == 200


def test_whoever_must_change_a_known_password_types_it(client, user):
    user.set_password(OWN)
    user.must_change_password = True
    user.save()
    client.force_login(user)
    assert "id_old_password" in client.get(reverse("password_change")).content.decode()
    assert set_own(client, "Reap-the-corn-2").status_code == 200
    assert set_own(client, "Reap-the-corn-2", old_password=OWN).url == "/"


def test_after_it_has_expired_nobody_signs_in(client, issued):
    later(seconds=-1)
    assert "用户名或密码不正确" in sign_in(client, issued).content.decode()
    later(seconds=60)
    assert sign_in(client, issued).status_code == 302


def test_a_disabled_account_is_not_opened_by_it(client, user, issued):
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert sign_in(client, issued).status_code == 200


def test_it_leads_to_no_other_host(client, issued):
    sign_in(client, issued)
    assert set_own(client, next="https://example.com/").url == "/"


def test_an_own_password_cannot_be_the_first_one(client, user, issued):
    """Capitals, digits and hyphens would do; but it stands on paper."""
    sign_in(client, issued)
    assert "通知单上的初始密码" in set_own(client, issued).content.decode()
    user.refresh_from_db()
    assert user.must_change_password


# --- The link -------------------------------------------------------------------------------------


def test_the_link_keeps_its_secret_behind_the_hash(city):
    request = RequestFactory().get("/people/", headers={"host": "testserver"})
    user = make_user(username="li.si@县+1")
    link = first_passwords.link(request, user, "AAAA-BBBB-CCCC")
    address, _, fragment = link.partition("#")
    assert address == "http://testserver/accounts/login/"
    assert fragment == "li.si%40%E5%8E%BF%2B1.AAAA-BBBB-CCCC"
