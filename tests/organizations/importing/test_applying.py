"""Doing what the preview showed: all of it or nothing, once, and on record."""

from math import ceil

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from organizations import accounts, audit, reorganizing, tree
from organizations.choices import Tier
from organizations.importing import reading
from organizations.models import (
    AuditEvent,
    ImportPage,
    Membership,
    Organization,
    OrganizationImport,
    User,
)
from tests import factories
from tests.assessments.test_concurrency import at_once
from tests.factories import make_organization, make_user, today
from tests.organizations.importing.files import (
    confirm,
    counts,
    preview,
    shown,
    text,
    union,
    upload,
    workbook,
)

pytestmark = pytest.mark.django_db

CHANGED = (
    "名册预览之后，工会登记有了变化。下面是重新核对的结果，请看过后再确认；目前什么都没有导入。"
)
DONE = "导入完成。"
NOT_AGAIN = "这份名册已经处理过，或者还有错误，没有再次导入。"


def everything():
    """The tree, the accounts and their roles, row by row."""
    return [
        list(model.objects.order_by("pk").values_list(*fields))
        for model, fields in (
            (Organization, ("code", "name", "path", "parent", "workers", "initials")),
            (User, ("username", "full_name")),
            (Membership, ("user", "organization", "role")),
        )
    ]


@pytest.fixture
def rows(city):
    """One of each: entered with an account, changed, moved."""
    return [
        union("N-1", "示例新建工会", city.township.code) | {"负责人姓名": "王新"},
        union(city.sibling.code, city.sibling.name, city.township.code) | {"职工人数": 9},
        union(city.own.code, city.own.name, city.other_township.code),
    ]


def test_the_page_says_what_was_done(admin, rows):
    batch = preview(admin, rows)
    assert confirm(admin, batch) == [DONE]
    page = admin.get(batch.get_absolute_url()).content.decode()
    assert "已导入" in page
    assert "已为 1 人开户。" in page
    assert "确认导入" not in page


def test_an_error_in_the_middle_leaves_nothing_behind(admin, city, rows, monkeypatch):
    def fail(wanted):
        raise DatabaseError("disk full")

    batch, before = preview(admin, rows), everything()
    with monkeypatch.context() as patch:
        patch.setattr(accounts, "open_all", fail)
        admin.raise_request_exception = False
        assert admin.post(f"{batch.get_absolute_url()}confirm/").status_code == 500
    batch.refresh_from_db()
    assert (batch.state, batch.applied_at) == ("CHECKED", None)
    assert everything() == before
    assert not AuditEvent.objects.filter(action="IMPORT").exists()
    assert confirm(admin, batch) == [DONE]
    assert everything() != before


def test_an_import_is_on_record(admin, city, rows):
    batch = (
        preview(admin, rows, "2026年名册.csv")
        if False
        else preview(admin, text(rows), "二季度.csv")
    )
    confirm(admin, batch)
    event = audit.events_of(batch).get()
    assert (event.action, event.actor) == ("IMPORT", city.admin)
    assert event.details == {
        "file": "二季度.csv",
        "sha256": batch.sha256,
        "counts": {
            "FAULT": 0,
            "CREATE": 1,
            "CHANGE": 1,
            "MOVE": 1,
            "UNCHANGED": 0,
            "accounts": 1,
        },
    }
    assert list(audit.verify()) == []


def test_confirming_twice_imports_once(admin, rows):
    batch = preview(admin, rows)
    assert confirm(admin, batch) == [DONE]
    after = everything()
    assert confirm(admin, batch) == [NOT_AGAIN]
    assert everything() == after
    assert audit.events_of(batch).count() == 1


# --- The tree has changed in the meantime --------------------------------------------------------


def enter_the_same_code(city):
    make_organization(Tier.GRASSROOTS, city.other_township, "别人先登记", code="N-1")


def enter_one_of_the_same_name(city):
    make_organization(Tier.GRASSROOTS, city.township, "示例新建工会", code="Z-9")


def dissolve_the_superior(city):
    details = {"reason": "撤并", "on": today(), "by": city.admin, "with_subordinates": True}
    reorganizing.dissolve(city.township, **details)


def change_what_is_to_be_changed(city):
    Organization.objects.filter(pk=city.sibling.pk).update(workers=8)


def move_what_is_to_be_moved(city):
    to = {"to": city.county, "reason": "调整", "on": today(), "by": city.admin}
    reorganizing.move(city.own, **to)


def do_already_what_is_to_be_done(city):
    Organization.objects.filter(pk=city.sibling.pk).update(workers=9)


def open_the_account(city):
    enter_the_same_code(city)
    make_user((Organization.objects.get(code="N-1"), "HEAD"), name="王新")


@pytest.mark.parametrize(
    "change",
    [
        enter_the_same_code,
        enter_one_of_the_same_name,
        dissolve_the_superior,
        change_what_is_to_be_changed,
        move_what_is_to_be_moved,
        do_already_what_is_to_be_done,
        open_the_account,
    ],
)
def test_a_tree_that_has_changed_is_shown_anew_before_anything_is_done(admin, city, rows, change):
    batch = preview(admin, rows)
    shown_before = [counts(batch), list(batch.pages.values_list("rows", flat=True))]
    change(city)
    before = everything()
    assert confirm(admin, batch) == [CHANGED]
    assert everything() == before
    assert [counts(batch), list(batch.pages.values_list("rows", flat=True))] != shown_before
    assert batch.applied_at is None


def test_a_preview_made_anew_can_be_confirmed(admin, city, rows):
    batch = preview(admin, rows)
    change_what_is_to_be_changed(city)
    assert confirm(admin, batch) == [CHANGED]
    assert shown(admin, batch, "CHANGE")[0]["changes"] == [["职工人数", "8", "9"]]
    assert confirm(admin, batch) == [DONE]


def test_a_preview_made_anew_with_faults_cannot_be_confirmed(admin, city, rows):
    batch = preview(admin, rows)
    dissolve_the_superior(city)
    assert confirm(admin, batch) == [CHANGED]
    assert batch.state == "FAULTY"
    assert confirm(admin, batch) == [NOT_AGAIN]


def test_a_name_that_means_another_superior_by_now_is_shown_anew(admin, city):
    """The superior of a new union, by name: one was dissolved, another one founded."""
    first = make_organization(Tier.TOWNSHIP, city.county, "建设路街道工会委员会")
    batch = preview(admin, [union("N-1", "示例", first.name)])
    reorganizing.dissolve(first, reason="撤并", on=today(), by=city.admin)
    second = make_organization(Tier.TOWNSHIP, city.other_county, first.name)
    assert confirm(admin, batch) == [CHANGED]
    assert confirm(admin, batch) == [DONE]
    assert Organization.objects.get(code="N-1").parent == second


def test_what_has_nothing_to_do_with_the_list_does_not_disturb_it(admin, city, rows):
    batch = preview(admin, rows)
    make_organization(Tier.GRASSROOTS, city.direct.parent, "别的工会")
    assert confirm(admin, batch) == [DONE]


def test_an_administrator_who_is_none_any_more_finds_nothing(client, city):
    client.force_login(city.county_admin)
    batch = preview(client, [union("N-1", "示例", city.township.code)])
    Membership.objects.filter(user=city.county_admin).delete()
    assert client.post(f"{batch.get_absolute_url()}confirm/").status_code == 404
    assert not Organization.objects.filter(code="N-1").exists()


def test_an_administrator_of_less_than_before_does_less(client, city):
    both = make_user((city.county, "ADMIN"), (city.other_county, "ADMIN"))
    client.force_login(both)
    batch = preview(client, [union("N-1", "示例", city.other_township.code)])
    both.memberships.filter(organization=city.other_county).delete()
    assert confirm(client, batch) == [CHANGED]
    assert batch.state == "FAULTY"


# --- Whose list, and what has become of it -------------------------------------------------------


@pytest.mark.parametrize("page", ["", "confirm/", "discard/"])
@pytest.mark.parametrize("other", ["county_admin", "lead", "head", "nobody"])
def test_another_s_list_does_not_exist(client, city, rows, page, other):
    client.force_login(city.admin)
    batch, before = preview(client, rows), everything()
    client.force_login(getattr(city, other))
    send = client.post if page else client.get
    assert send(f"{batch.get_absolute_url()}{page}").status_code == 404
    batch.refresh_from_db()
    assert batch.state == "CHECKED"
    assert everything() == before


def test_another_administrator_of_the_city_has_lists_of_their_own(client, city, rows):
    client.force_login(city.admin)
    batch = preview(client, rows)
    client.force_login(make_user((city.city, "ADMIN")))
    assert client.post(f"{batch.get_absolute_url()}confirm/").status_code == 404
    assert list(client.get("/imports/").context["page_obj"]) == []


@pytest.mark.parametrize("page", ["confirm/", "discard/"])
def test_looking_does_nothing(admin, rows, page):
    batch = preview(admin, rows)
    assert admin.get(f"{batch.get_absolute_url()}{page}").status_code == 405


def test_a_list_that_is_given_up_is_not_imported(
    admin, city, rows, django_capture_on_commit_callbacks
):
    batch, before = preview(admin, rows), everything()
    with django_capture_on_commit_callbacks(execute=True):
        response = admin.post(f"{batch.get_absolute_url()}discard/", follow=True)
    assert [str(m) for m in response.context["messages"]] == ["已放弃这份名册，什么都没有导入。"]
    assert not batch.file.storage.exists(batch.file.name)
    assert not ImportPage.objects.exists()
    assert audit.events_of(batch).get().action == "IMPORT_DISCARDED"
    assert "这份名册已放弃，没有导入。" in admin.get(batch.get_absolute_url()).content.decode()
    assert confirm(admin, batch) == [NOT_AGAIN]
    assert everything() == before


def test_an_imported_list_is_not_given_up(admin, rows, django_capture_on_commit_callbacks):
    batch = preview(admin, rows)
    confirm(admin, batch)
    with django_capture_on_commit_callbacks(execute=True):
        admin.post(f"{batch.get_absolute_url()}discard/")
    batch.refresh_from_db()
    assert batch.state == "APPLIED"
    assert batch.file.storage.exists(batch.file.name)


def test_a_file_that_has_been_damaged_since_is_refused_with_a_message(admin, rows):
    batch, before = preview(admin, workbook(rows), "名册.xlsx"), everything()
    with open(batch.file.path, "wb") as file:
        file.write(b"PK\3\4 damaged")
    assert confirm(admin, batch) == [
        "文件已损坏，或不是真正的 Excel 文件。请用 Excel 或 WPS 打开后另存为 .xlsx 再上传。"
    ]
    assert (batch.state, everything()) == ("CHECKED", before)


def test_the_uploads_are_listed_with_what_was_in_them(admin, city, rows):
    first = preview(admin, rows)
    confirm(admin, first)
    second = preview(admin, [union("N-2", "示例", "没有")])
    listed = admin.get("/imports/").context["page_obj"]
    assert [(b.pk, b.state, b.counts["CREATE"], b.counts["FAULT"]) for b in listed] == [
        (second.pk, "FAULTY", 0, 1),
        (first.pk, "APPLIED", 1, 0),
    ]


# --- Several at once -----------------------------------------------------------------------------


@pytest.fixture
def crowd(transactional_db):
    return factories.make_city()


def posting(user, address):
    """The request of somebody with a browser of their own; which of the messages it led to. (Not
    from the context: the test client mixes up the contexts of threads.)"""
    client = Client()
    client.force_login(user)

    def job():
        page = client.post(address, follow=True).content.decode()
        return [message for message in (DONE, NOT_AGAIN, CHANGED) if message in page]

    return job


@pytest.mark.django_db(transaction=True)
def test_confirming_the_same_list_at_once_imports_it_once(client, crowd):
    client.force_login(crowd.admin)
    names = {"负责人姓名": "王新"}
    rows = [union(f"N-{n}", f"示例{n}", crowd.township.code) | names for n in range(30)]
    batch = preview(client, rows)
    address = f"{batch.get_absolute_url()}confirm/"
    results = at_once(*[posting(crowd.admin, address)] * 3)
    assert sorted(results) == sorted([[DONE], [NOT_AGAIN], [NOT_AGAIN]])
    assert Organization.objects.filter(code__startswith="N-").count() == 30
    assert User.objects.filter(full_name="王新").count() == 30
    assert audit.events_of(batch).count() == 1
    assert list(audit.verify()) == []


@pytest.mark.django_db(transaction=True)
def test_two_lists_with_the_same_unions_at_once_enter_them_once(client, crowd):
    jobs = []
    for user, name in ((crowd.admin, "示例甲"), (crowd.county_admin, "示例乙")):
        client.force_login(user)
        batch = preview(client, [union("N-1", name, crowd.township.code)])
        jobs.append(posting(user, f"{batch.get_absolute_url()}confirm/"))
    results = at_once(*jobs)
    assert sorted(results) == sorted([[DONE], [CHANGED]])
    winner = "示例甲" if results[0] == [DONE] else "示例乙"
    assert Organization.objects.get(code="N-1").name == winner


@pytest.mark.django_db(transaction=True)
def test_confirming_and_giving_up_at_once_is_one_of_the_two(client, crowd):
    client.force_login(crowd.admin)
    batch = preview(client, [union("N-1", "示例", crowd.township.code)])
    confirmed, _ = at_once(
        posting(crowd.admin, f"{batch.get_absolute_url()}confirm/"),
        posting(crowd.admin, f"{batch.get_absolute_url()}discard/"),
    )
    batch.refresh_from_db()
    assert (batch.state, confirmed) in [("APPLIED", [DONE]), ("DISCARDED", [NOT_AGAIN])]
    entered = Organization.objects.filter(code="N-1").exists()
    assert entered == (batch.state == "APPLIED") == batch.file.storage.exists(batch.file.name)


@pytest.mark.django_db(transaction=True)
def test_a_union_moving_below_one_that_is_being_dissolved(client, crowd):
    client.force_login(crowd.admin)
    batch = preview(client, [union(crowd.own.code, crowd.own.name, crowd.industry.code)])
    by = User.objects.get(pk=crowd.admin.pk)
    confirmed, dissolved = at_once(
        posting(crowd.admin, f"{batch.get_absolute_url()}confirm/"),
        lambda: reorganizing.dissolve(crowd.industry, reason="撤并", on=today(), by=by),
    )
    own = Organization.objects.select_related("parent").get(pk=crowd.own.pk)
    assert own.parent.is_active
    if confirmed == [DONE]:
        assert (own.parent, type(dissolved).__name__) == (crowd.industry, "ValidationError")
    else:
        assert (own.parent, confirmed) == (crowd.township, [CHANGED])


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_while_a_file_is_being_read(client, crowd, monkeypatch):
    """Reading may take its time: no transaction is open then, neither for preview nor import."""
    read, open_then = reading.read, []

    def reading_slowly(file):
        open_then.append(connection.in_atomic_block)
        return read(file)

    monkeypatch.setattr(reading, "read", reading_slowly)
    client.force_login(crowd.admin)
    batch = preview(client, [union("N-1", "示例", crowd.township.code)])
    assert confirm(client, batch) == [DONE]
    assert open_then == [False, False]


# --- The number of queries -----------------------------------------------------------------------


def statements(count, columns, most):
    """How many statements write so many rows of so many values: SQLite takes 999 in each, so that
    a bulk_create of a union's 15 columns holds 66 rows; PostgreSQL has no such bound."""
    size = connection.ops.bulk_batch_size(["x"] * columns, range(count))
    return ceil(count / min(most, size))


def queries_of(client, content):
    """The numbers of queries of the upload and of its confirmation."""
    with CaptureQueriesContext(connection) as uploading:
        assert upload(client, content).status_code == 302
    batch = OrganizationImport.objects.latest("pk")
    with CaptureQueriesContext(connection) as confirming:
        assert client.post(f"{batch.get_absolute_url()}confirm/").status_code == 302
    batch.refresh_from_db()
    assert batch.state == "APPLIED"
    return len(uploading), len(confirming)


def columns_of(model):
    return len(model._meta.concrete_fields) - 1  # the key comes from the database


def entering(city, count, prefix):
    names = {"负责人姓名": "王新", "职工人数": 3}
    return text(
        [union(f"{prefix}{n}", f"示例{n}", city.township.code) | names for n in range(count)]
    )


def test_entering_costs_queries_by_batches(admin, city):
    queries_of(admin, entering(city, 1, "W"))  # what is looked up once only
    few, many = (
        queries_of(admin, entering(city, 60, "A")),
        queries_of(admin, entering(city, 600, "B")),
    )

    def written(count):
        return (
            statements(count, columns_of(Organization), 1000)
            + statements(count, columns_of(User), 500)
            + statements(count, columns_of(Membership), 500)
        )

    assert many[0] == few[0]
    assert many[1] - few[1] == written(600) - written(60)
    assert few[0] <= 20
    assert few[1] - written(60) <= 30


def test_changing_and_moving_cost_queries_by_batches(admin, city):
    def moving(count, prefix, to):
        return text([union(f"{prefix}{n}", f"改名{n}", to.code) for n in range(count)])

    for prefix, count in (("A", 60), ("B", 600)):
        tree.plant_all(
            Organization(code=f"{prefix}{n}", name="示例", tier="GRASSROOTS", parent=city.township)
            for n in range(count)
        )
    few = queries_of(admin, moving(60, "A", city.industry))
    many = queries_of(admin, moving(600, "B", city.industry))
    fields = len(["pk", "pk", "name", "parent", "initials"])
    written = statements(600, fields, 500) - statements(60, fields, 500)
    assert (many[0], many[1]) == (few[0], few[1] + written)


def test_an_unchanged_list_costs_the_same_at_any_length(admin, city):
    for prefix, count in (("A", 60), ("B", 600)):
        content = entering(city, count, prefix)
        queries_of(admin, content)
    assert queries_of(admin, entering(city, 60, "A")) == queries_of(admin, entering(city, 600, "B"))


@pytest.mark.parametrize("group", ["CREATE", "FAULT"])
def test_showing_a_preview_costs_the_same_at_any_length(admin, city, group):
    found = set()
    for count in (3, 600):
        parent = city.township.code if group == "CREATE" else "没有"
        batch = preview(admin, [union(f"{count}-{n}", "示例", parent) for n in range(count)])
        with CaptureQueriesContext(connection) as queries:
            shown(admin, batch, group)
        found.add(len(queries))
    assert len(found) == 1
    assert found.pop() <= 12


def test_columns_that_mean_nothing_here_are_named(admin, city):
    content = f"代码,名称,层级,上级工会,微信号\nN1,新工会,基层,{city.township.code},abc\n"
    batch = preview(admin, content.encode())
    page = admin.get(batch.get_absolute_url()).content.decode()
    assert "没有读取：微信号" in page
