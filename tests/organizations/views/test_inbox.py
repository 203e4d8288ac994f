"""消息: one's own, newest first, read once; a badge on every page; never out of the portal."""

import datetime as dt
import re

import pytest
from django.core.management import call_command
from django.utils import timezone

from organizations import notifications
from organizations.choices import NotificationKind, Role
from organizations.models import Membership, Notification
from organizations.notifications import notify
from tests import factories

pytestmark = pytest.mark.django_db
INBOX = "/messages/"


@pytest.fixture
def inbox(client, city):
    client.force_login(city.head)
    return client


def tell(*recipients, text="请办理。", **fields):
    notify(recipients, **{"kind": NotificationKind.TURN, "link": "/policy/"} | fields, text=text)
    return Notification.objects.order_by("pk").last()


def texts(page):
    return [one.text for one in page.context["notifications"]]


def badge(page):
    found = re.search(r'messages-badge">(\d+\+?)', page.content.decode())
    return found and found[1]


def test_an_empty_inbox_says_so(inbox):
    assert "还没有消息" in inbox.get(INBOX).content.decode()
    page = inbox.get(f"{INBOX}?show=unread").content.decode()
    assert "没有未读消息" in page
    assert "全部标为已读" not in page


def test_newest_first_and_unread_ones_are_marked_in_words(inbox, city):
    notifications.mark_read(tell(city.head, text="第一件"))
    tell(city.head, text="第二件")
    tell(city.reporter, text="别人的")
    page = inbox.get(INBOX)
    assert texts(page) == ["第二件", "第一件"]
    assert page.content.decode().count(">未读</strong>") == 1
    assert page.content.decode().count(">已读</span>") == 1
    assert texts(inbox.get(f"{INBOX}?show=unread")) == ["第二件"]
    assert texts(inbox.get(f"{INBOX}?show=nonsense")) == ["第二件", "第一件"]


def test_a_renewed_one_comes_to_the_top(inbox, city):
    tell(city.head, text="旧事")
    tell(city.head, text="新事")
    tell(city.head, text="旧事")
    assert texts(inbox.get(INBOX)) == ["旧事", "新事"]


def test_pages(inbox, city):
    for number in range(31):
        tell(city.head, text=f"第{number}件")
    assert len(texts(inbox.get(INBOX))) == 30
    assert texts(inbox.get(f"{INBOX}?page=2")) == ["第0件"]
    assert texts(inbox.get(f"{INBOX}?page=99&show=unread")) == ["第0件"]


def test_text_is_shown_as_text(inbox, city):
    tell(city.head, text="<script>alert(1)</script>")
    assert "<script>alert" not in inbox.get(INBOX).content.decode()


@pytest.mark.parametrize(("count", "shown"), [(0, None), (1, "1"), (99, "99"), (120, "99+")])
def test_every_page_has_the_number_of_unread_ones(inbox, city, count, shown):
    for number in range(count):
        tell(city.head, text=f"{number}")
    for address in ("/", "/policy/", "/accounts/profile/", INBOX):
        assert badge(inbox.get(address)) == shown


def test_there_is_no_badge_without_signing_in(client):
    assert "messages-link" not in client.get("/policy/").content.decode()


def test_opening_reads_it_and_leads_there(inbox, city):
    message = tell(city.head)
    for _ in range(2):
        response = inbox.get(f"{INBOX}{message.pk}/")
        assert (response.status_code, response.url) == (302, "/policy/")
    message.refresh_from_db()
    first = message.read_at
    assert first is not None
    inbox.get(f"{INBOX}{message.pk}/")
    message.refresh_from_db()
    assert message.read_at == first


def test_looking_whether_it_is_there_does_not_read_it(inbox, city):
    message = tell(city.head)
    assert inbox.head(f"{INBOX}{message.pk}/").status_code == 405
    assert notifications.unread_count(city.head) == 1


def test_what_came_into_the_database_by_another_way_leads_nowhere(inbox, city):
    message = tell(city.head)
    Notification.objects.update(link="/\\evil.example")
    assert inbox.get(f"{INBOX}{message.pk}/").url == INBOX


def test_somebody_elses_are_not_there(inbox, city):
    message = tell(city.reporter)
    assert inbox.get(f"{INBOX}{message.pk}/").status_code == 404
    assert inbox.post(f"{INBOX}{message.pk}/read/").status_code == 404
    inbox.post(f"{INBOX}read/", {"shown": timezone.now().isoformat()})
    message.refresh_from_db()
    assert message.read_at is None


def test_reading_one_stays_on_the_page(inbox, city):
    message = tell(city.head)
    back = f"{INBOX}?show=unread&page=1"
    assert inbox.post(f"{INBOX}{message.pk}/read/", {"next": back}).url == back
    assert notifications.unread_count(city.head) == 0
    for away in ("https://evil.example/", "//evil.example/"):
        assert inbox.post(f"{INBOX}{message.pk}/read/", {"next": away}).url == INBOX


def test_reading_all_in_two_tabs_leaves_what_has_come_since(inbox, city):
    for number in range(40):
        tell(city.head, text=f"{number}")
    shown = [inbox.get(INBOX).context["shown"] for _ in range(2)]
    tell(city.head, text="之后才来的")
    tell(city.head, text="0")  # renewed since
    for one in shown:
        assert inbox.post(f"{INBOX}read/", {"shown": one}).url == INBOX
    page = inbox.get(f"{INBOX}?show=unread")
    assert texts(page) == ["0", "之后才来的"]


@pytest.mark.parametrize("shown", ["", "x", "2026-01-01", "2026-13-01T00:00:00Z", "\0"])
def test_reading_all_of_a_page_that_is_not_ours_reads_nothing(inbox, city, shown):
    tell(city.head)
    response = inbox.post(f"{INBOX}read/", {"shown": shown}, follow=True)
    assert response.status_code in (200, 400)
    assert notifications.unread_count(city.head) == 1


def test_a_message_about_another_of_ones_unions_opens_too(client, city, campaign):
    """Whoever acts for one union would find nothing of the other's."""
    Membership.objects.create(user=city.head, organization=city.sibling, role=Role.HEAD)
    assessment = factories.make_self_assessment(city, campaign)
    message = tell(city.head, link=assessment.get_absolute_url())
    client.force_login(city.head)
    client.post("/accounts/identity/", {"organization": city.sibling.pk})
    assert client.get(assessment.get_absolute_url()).status_code == 404
    page = client.get(f"{INBOX}{message.pk}/", follow=True)
    assert page.status_code == 200
    assert "全部身份" in page.content.decode()


def test_a_message_whose_page_is_no_longer_ones_own_says_not_found(inbox, city, campaign):
    assessment = factories.make_self_assessment(city, campaign)
    message = tell(city.head, link=assessment.get_absolute_url())
    Membership.objects.filter(user=city.head).delete()
    assert inbox.get(f"{INBOX}{message.pk}/", follow=True).status_code == 404
    assert notifications.unread_count(city.head) == 0


def test_what_was_read_long_ago_is_tidied(city, settings):
    settings.MESSAGE_DAYS = 400
    old, recent, unread = (tell(city.head, text=text) for text in ("旧", "新", "未读"))
    long_ago = timezone.now() - dt.timedelta(days=401)
    Notification.objects.filter(pk=old.pk).update(read_at=long_ago)
    Notification.objects.filter(pk=recent.pk).update(read_at=timezone.now(), at=long_ago)
    Notification.objects.filter(pk=unread.pk).update(at=long_ago)
    call_command("tidy_messages")
    assert set(Notification.objects.all()) == {recent, unread}
