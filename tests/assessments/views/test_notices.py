"""通知公告: who reads what, what is kept of what is typed, and what becomes of it."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse

from assessments import notices, orphans, rich_text, workbench
from assessments.models import Notice, NoticeFile, NoticeRead, StoredFile
from organizations import audit
from organizations.choices import Act, Tier
from organizations.models import Notification
from tests import factories
from tests.factories import make_notice
from tests.uploads import PNG

pytestmark = pytest.mark.django_db

LIST, ADD = "/notices/", "/notices/add/"
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '<img src="data:image/png;base64,AAAA">',
    '<a href="javascript:alert(1)">点我</a>',
    '<a href="data:text/html,<script>alert(1)</script>">点我</a>',
    '<a href=" &#106;avascript:alert(1)">点我</a>',
    '<p style="position:fixed" onclick="alert(1)">文字</p>',
    "<style>body{display:none}</style>",
    '<iframe src="https://evil.example"></iframe>',
    "<svg><script>alert(1)</script></svg>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    '<form action="https://evil.example"><input name="password"></form>',
    '<base href="https://evil.example">',
    '<div><noscript><p title="</noscript><img src=x onerror=alert(1)>">',
]


def fields(**changes):
    return {
        "title": "关于报送材料的通知",
        "body": "<div>请<strong>按时</strong>报送。</div>",
    } | changes


def open_as(client, user, url, **posted):
    client.force_login(user)
    return client.post(url, posted, follow=True) if posted else client.get(url)


def address(notice, act=""):
    return f"{notice.get_absolute_url()}{act and f'{act}/'}"


def readers(client, city, notice):
    url = address(notice)
    return {
        name for name, user in city.users().items() if open_as(client, user, url).status_code == 200
    }


def test_from_a_draft_to_a_notice_that_all_have_read(client, city):
    page = open_as(client, city.admin, ADD, **fields(then="publish", tiers=["GRASSROOTS"]))
    notice = Notice.objects.get()
    assert page.request["PATH_INFO"] == address(notice, "publish")
    assert "共 4 个工会，其中 3 个有账号" in page.content.decode()
    assert readers(client, city, notice) == {"admin"}
    assert not Notification.objects.exists()

    open_as(client, city.admin, address(notice, "publish"), seen=notice.version)
    people = {"reporter", "head", "own_viewer", "sibling_head", "foreign_head"}
    told = {one.recipient_id for one in Notification.objects.filter(link=address(notice))}
    assert told == {getattr(city, name).pk for name in people}
    assert readers(client, city, notice) == people | {"admin"}
    assert NoticeRead.objects.count() == 5  # the writer leaves no receipt
    NoticeRead.objects.filter(user=city.foreign_head).delete()

    page = open_as(client, city.admin, address(notice, "receipts")).content.decode()
    assert city.foreign.name in page
    assert city.own.name not in page
    assert "3 个有账号，1 个还没有人看；已有 4 人看过" in page
    assert client.get(address(notice, "receipts"), {"format": "xlsx"}).status_code == 200
    Notification.objects.all().delete()
    client.post(address(notice, "urge"))
    assert [one.recipient for one in Notification.objects.all()] == [city.foreign_head]
    acts = [event.action for event in audit.events_of(notice)]
    assert acts == [Act.NOTICE_URGED, Act.NOTICE_PUBLISHED]


def test_what_is_not_read_waits_on_the_workbench_and_in_the_list(client, city):
    old, new = make_notice(city.admin, title="旧的"), make_notice(city.admin, title="新的")
    pinned = make_notice(city.admin, title="顶上的", pinned=True)
    open_as(client, city.head, address(old))
    assert [task.text for task in workbench.tasks(city.head, None, dt.datetime.now(dt.UTC))] == [
        "有 2 条通知您还没有看。"
    ]
    shown = list(client.get(LIST).context["notices"])
    assert shown == [pinned, new, old]
    assert [one.is_read for one in shown] == [False, False, True]
    assert list(client.get(LIST, {"show": "unread"}).context["notices"]) == [pinned, new]
    assert list(client.get(LIST, {"q": "旧"}).context["notices"]) == [old]


def test_only_whom_it_is_for(client, city):
    for place, tier, expected in [
        (city.county, Tier.TOWNSHIP, {"township_head"}),
        (city.county, Tier.COUNTY, {"county_head", "county_admin"}),
        (city.other_county, None, {"foreign_head"}),
    ]:
        notice = make_notice(city.admin, places=[place], tiers=[tier] if tier else [])
        assert readers(client, city, notice) == expected | {"admin"}


def test_a_county_speaks_to_its_own_subtree_and_never_in_public(client, city):
    page = open_as(client, city.county_admin, ADD, **fields(places=[city.other_county.pk]))
    assert "只能发给本级和下级工会。" in page.content.decode()
    assert not Notice.objects.exists()
    open_as(client, city.county_admin, ADD, **fields(is_public="on", pinned="on"))
    notice = Notice.objects.get()
    assert (notice.publisher, notice.is_public, notice.pinned) == (city.county, False, False)
    notices.publish(notice, by=city.county_admin, seen=notice.version)
    inside = {"reporter", "head", "own_viewer", "sibling_head", "township_head", "county_head"}
    assert readers(client, city, notice) == inside | {"county_admin", "admin"}
    other = make_notice(city.admin)
    for act in ("edit", "publish", "receipts", "withdraw", "urge"):
        url = address(other, act)
        assert {open_as(client, city.county_admin, url).status_code} <= {404, 405}
        assert client.post(url).status_code in (404, 405)
    with pytest.raises(notices.NotAllowed):
        notices.withdraw(other, by=city.county_admin)


def test_the_public_finds_what_is_public_published_and_not_expired(client, city):
    shown = make_notice(city.admin, title="公开的", is_public=True)
    inside = make_notice(city.admin, title="内部的")
    draft = make_notice(city.admin, title="未发布的", is_public=True, published=False)
    gone = make_notice(city.admin, title="撤回的", is_public=True)
    notices.withdraw(gone, by=city.admin)
    expired = make_notice(city.admin, title="过期的", is_public=True)
    yesterday = factories.today() - dt.timedelta(days=1)
    Notice.objects.filter(pk=expired.pk).update(expires_on=yesterday)
    for one in (shown, inside, draft, gone, expired):
        file = attach(one, city.admin)
        url = reverse("assessments:notice_file", args=[file.pk])
        expected = 200 if one == shown else 404
        assert client.get(address(one)).status_code == (410 if one == gone else expected)
        response = client.get(url)
        assert response.status_code == expected
    page = client.get(LIST)
    assert list(page.context["notices"]) == [shown]
    assert list(client.get(LIST, {"q": "内部", "show": "unread"}).context["notices"]) == []
    page = client.get(address(shown)).content.decode()
    assert not any(user.full_name in page for user in city.users().values())
    assert not NoticeRead.objects.exists()
    # For the unions, too, an expired one is gone.
    assert open_as(client, city.head, address(expired)).status_code == 404


def attach(notice, by, name="附件.png", content=PNG):
    return notices.attach(notice, SimpleUploadedFile(name, content), by)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_hostile_is_kept(client, city, hostile):
    body = f"<div>正文</div>{hostile}"
    open_as(client, city.admin, ADD, **fields(title=f"标题{hostile}"[:120], body=body))
    notice = Notice.objects.get()
    kept = notice.body.lower()
    assert "正文" in kept
    for bad in ("<script", "<img", "javascript:", "data:", "style", "onerror=", "onclick=",
                "<iframe", "<svg", "<math", "<form", "<input", "<base"):  # fmt: skip
        assert bad not in kept.replace("&lt;", "")
    page = client.get(address(notice)).content.decode()
    assert hostile not in page
    assert rich_text.sanitised(notice.body) == notice.body


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": "  "}, "请填写标题。"),
        ({"title": "长" * 121}, "最多 120 字"),
        ({"body": ""}, "请填写正文。"),
        ({"body": "<div><br></div><div>&nbsp;</div>"}, "请填写正文。"),
        ({"body": "<img src=x>"}, "请填写正文。"),
        ({"body": "长" * 100_000}, "正文太长"),
        ({"tiers": ["PLANET"]}, "PLANET"),
        ({"expires_on": "2020-01-01"}, "展示到的日期不能早于今天。"),
        ({"expires_on": "后天"}, "请按 2026-05-31 的样子填写日期。"),
    ],
)
def test_bad_input_is_answered_at_the_field(client, city, changes, message):
    page = open_as(client, city.admin, ADD, **fields(**changes)).content.decode()
    assert message in page
    assert not Notice.objects.exists()
    assert ("关于报送材料的通知" in page) == ("title" not in changes)


def test_plain_text_becomes_paragraphs():
    assert rich_text.sanitised("第一段\n\n3 < 5") == "<p>第一段</p>\n\n<p>3 &lt; 5</p>"


def test_two_editors_at_once(client, city):
    notice = make_notice(city.admin, published=False)
    seen = notice.version
    open_as(client, city.admin, address(notice, "edit"), **fields(title="甲写的", seen=seen))
    page = client.post(address(notice, "edit"), fields(title="乙写的", seen=seen))
    assert page.status_code == 409
    assert "刚刚修改了这条通知" in page.content.decode()
    assert "甲写的" in page.content.decode()
    assert "乙写的" in page.content.decode()
    notice.refresh_from_db()
    assert notice.title == "甲写的"
    # A preview that is out of date does not publish what nobody has looked at.
    client.post(address(notice, "publish"), {"seen": seen})
    notice.refresh_from_db()
    assert notice.is_draft
    client.post(address(notice, "edit"), fields(title="乙写的", seen=page.context["seen"]))
    notice.refresh_from_db()
    assert notice.title == "乙写的"


def test_a_correction_says_so_and_leaves_whom_it_is_for(client, city):
    notice = make_notice(city.admin, tiers=[Tier.COUNTY])
    open_as(
        client,
        city.admin,
        address(notice, "edit"),
        **fields(title="更正后的", tiers=["GRASSROOTS"], seen=notice.version),
    )
    page = open_as(client, city.county_head, address(notice)).content.decode()
    assert "更正后的" in page
    assert "更正于" in page
    assert open_as(client, city.head, address(notice)).status_code == 404
    assert audit.events_of(notice).first().action == Act.NOTICE_CORRECTED


def test_a_correction_is_announced_again_where_that_is_wanted(client, city):
    notice = make_notice(city.admin, places=[city.county])
    Notification.objects.all().delete()
    url, files = address(notice, "edit"), [SimpleUploadedFile("附件.png", PNG)]
    open_as(client, city.admin, url, **fields(seen=notice.version, files=files))
    assert not Notification.objects.exists()
    file = notice.files.get()
    again = fields(seen=notice.version + 1, announce="on", remove=[file.pk])
    open_as(client, city.admin, url, **again)
    told = {one.recipient for one in Notification.objects.filter(text__startswith="通知有更正")}
    assert city.head in told
    assert city.foreign_head not in told
    changes = [
        event.details.get("added", event.details.get("removed"))
        for event in audit.events_of(notice).filter(action=Act.NOTICE_FILES_CHANGED)
    ]
    assert changes == [["附件.png"], ["附件.png"]]


def test_withdrawn_while_somebody_reads(client, city):
    notice = make_notice(city.admin)
    assert open_as(client, city.head, address(notice)).status_code == 200
    open_as(client, city.admin, address(notice, "withdraw"), yes="1")
    page = open_as(client, city.head, address(notice))
    assert page.status_code == 410
    assert "已由发布单位撤回" in page.content.decode()
    assert notice.title not in page.content.decode()
    inner = make_notice(city.admin, places=[city.other_county])
    notices.withdraw(inner, by=city.admin)
    assert open_as(client, city.head, address(inner)).status_code == 404  # it was not for them
    page = open_as(client, city.admin, address(notice))
    assert "已撤回" in page.content.decode()
    for act, reason in [
        ("withdraw", "已经撤回"),
        ("urge", "不能催阅"),
        ("publish", "已经发布"),
        ("edit", "不能再修改"),
    ]:
        seen = Notice.objects.get(pk=notice.pk).version
        page = client.post(address(notice, act), fields(seen=seen), follow=True)
        assert reason in page.content.decode(), act


def test_attachments(client, city):
    files = [SimpleUploadedFile("方案.png", PNG), SimpleUploadedFile("病毒.exe", b"MZ\x90")]
    page = open_as(client, city.admin, ADD, **fields(files=files)).content.decode()
    notice, file = Notice.objects.get(), NoticeFile.objects.get()
    assert "“病毒.exe”的类型不能接受" in page
    assert "方案.png" in page
    response = client.get(reverse("assessments:notice_file", args=[file.pk]))
    assert "attachment" in response["Content-Disposition"]
    assert b"".join(response.streaming_content) == PNG
    assert open_as(client, city.head, response.request["PATH_INFO"]).status_code == 404
    StoredFile.objects.update(stored_at="2020-01-01T00:00Z")
    assert orphans.unused_files() == []
    edit = address(notice, "edit")
    open_as(client, city.admin, edit, **fields(remove=[file.pk], seen=notice.version))
    assert not NoticeFile.objects.exists()
    assert not StoredFile.objects.exists()


def test_the_database_keeps_states_and_receipts_in_order(city):
    notice = make_notice(city.admin, published=False)
    NoticeRead.objects.create(notice=notice, user=city.head)
    for breach in (
        lambda: Notice.objects.filter(pk=notice.pk).update(state="PUBLISHED"),
        lambda: Notice.objects.filter(pk=notice.pk).update(state="ELSE"),
        lambda: NoticeRead.objects.create(notice=notice, user=city.head),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            breach()
