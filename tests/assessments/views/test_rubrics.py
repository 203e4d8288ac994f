"""The pages of the rubric editor."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from assessments import rubric_editing, rubrics
from assessments.models import Rubric
from organizations.choices import Tier
from tests import factories

pytestmark = pytest.mark.django_db
LIST, IMPORT = reverse("assessments:rubric_list"), reverse("assessments:rubric_import")


@pytest.fixture
def first():
    rubrics.load()
    return rubric_editing.with_indicators(
        Rubric.objects.filter(tier=Tier.GRASSROOTS, version=1)
    ).get()


@pytest.fixture
def draft(first, city):
    return rubric_editing.copy(first, first.title, city.admin)


@pytest.fixture
def admin(client, city):
    client.force_login(city.admin)
    return client


def page_of(rubric, name="rubric", *more):
    return reverse(f"assessments:{name}", args=[rubric.pk, *more])


def typed(response, **changes):
    """What a page with the editor would send, with some changes."""
    formset, heading = response.context["formset"], response.context["heading"]
    data = {"seen": response.context["seen"], "title": heading["title"].value()}
    data |= {f"form-{name}_FORMS": value for name, value in (("TOTAL", len(formset.forms)),)}
    data["form-INITIAL_FORMS"] = len(formset.forms)
    for form in formset.forms:
        for field in form:
            value = field.value()
            if value not in (None, False):
                data[field.html_name] = value
    return data | changes


def test_the_list_says_where_a_version_is_used(admin, draft):
    factories.make_campaign()
    page = admin.get(LIST)
    standing = {one.pk: one.standing for one in page.context["rubrics"]}
    assert standing[draft.pk] == "可以使用"
    assert standing[Rubric.objects.get(tier=draft.tier, version=1).pk] == "使用中，已锁定"
    assert admin.get(LIST, {"tier": "COUNTY"}).context["rubrics"][0].tier == "COUNTY"


def test_a_new_version_from_an_old_one(admin, first):
    response = admin.post(page_of(first, "rubric_copy"), {"title": " "})
    assert "请填写名称" in response.content.decode()
    admin.post(page_of(first, "rubric_copy"), {"title": "2027 年标准"})
    made = Rubric.objects.get(version=2)
    assert (made.title, made.tier) == ("2027 年标准", first.tier)
    assert "一字不差" in admin.get(page_of(made)).content.decode()


def test_one_criterion_is_edited_reordered_and_an_indicator_deleted(admin, draft):
    url = page_of(draft, "rubric_criterion", 1)
    data = typed(admin.get(url))
    data |= {"form-0-name": "改过的名称", "form-0-ORDER": "3", "form-2-DELETE": "on"}
    response = admin.post(url, data, follow=True)
    assert "满分合计应为 100 分" in response.content.decode()
    rows = draft.criteria.get(number=1).indicators.order_by("position")
    assert [one.code for one in rows] == ["G1.02", "G1.01"]
    assert rows[1].name == "改过的名称"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("form-0-name", "  ", "请填写名称"),
        ("form-0-max_points", "很多", "请填写数字"),
        ("form-0-clause", "字" * 501, "最多 500 字"),
        ("form-0-kind", "RATE", "分子和分母"),
        ("form-0-kind", "CHECKLIST", "至少要有一项"),
        ("form-0-ORDER", "第一", "请填写整数"),
        ("title", "", "请填写"),
    ],
)
def test_bad_input_is_named_and_nothing_typed_is_lost(admin, draft, field, value, message):
    url = page_of(draft, "rubric_criterion", 1)
    data = typed(admin.get(url), **{"form-1-evidence_hint": "刚写的提示", field: value})
    page = admin.post(url, data).content.decode()
    assert message in page
    assert "刚写的提示" in page
    assert not draft.criteria.filter(indicators__evidence_hint="刚写的提示").exists()


def test_another_indicator_and_one_split_keep_what_was_typed(admin, draft):
    url = page_of(draft, "rubric_criterion", 2)
    data = typed(admin.get(url), **{"form-0-name": "还没保存", "form-0-clause": "前半,后半。"})
    number = data["form-TOTAL_FORMS"]
    page = admin.post(url, data | {"split": "0"})
    clauses = [form["clause"].value() for form in page.context["formset"]]
    assert (clauses[:2], len(clauses)) == (["前半,", "后半。"], number + 1)
    again = typed(page, add="1")
    page = admin.post(url, again)
    assert len(page.context["formset"].forms) == number + 2
    assert page.context["formset"].forms[0]["name"].value() == "还没保存"
    saved = typed(page, **{"form-1-name": "后一半", "form-1-max_points": "1"})
    saved[f"form-{number + 1}-DELETE"] = "on"
    assert admin.post(url, saved).status_code == 302
    rows = draft.criteria.get(number=2).indicators.order_by("position")
    assert [one.clause for one in rows[:2]] == ["前半,", "后半。"]
    assert rows[1].code.startswith("G2.")


def test_a_stale_page_and_a_locked_version_are_told_and_keep_the_text(admin, draft, first):
    url = page_of(draft, "rubric_criterion", 1)
    stale = typed(admin.get(url), **{"form-0-name": "第二个人写的"})
    admin.post(url, stale | {"form-0-name": "第一个人写的"})
    answer = admin.post(url, stale)
    assert answer.status_code == 409
    assert "别人改过" in answer.content.decode()
    assert "第二个人写的" in answer.content.decode()
    assert draft.criteria.filter(indicators__name="第一个人写的").exists()
    open_url = page_of(first, "rubric_criterion", 1)
    data = typed(admin.get(open_url))
    factories.make_campaign()
    assert admin.post(open_url, data).status_code == 409
    assert admin.get(open_url).url == page_of(first)


def test_stock_phrases_are_kept_with_their_indicator(admin, draft):
    url = f"{reverse('assessments:phrase_list')}?code=G1.01"
    assert f'href="{url}">常用语（0）' in admin.get(page_of(draft)).content.decode()
    form = admin.get(url).context["form"]
    sent = {"text": "缺会议纪要。", "code": form["code"].value(), "shared": "on"}
    assert form["shared"].value() is True
    assert admin.post(url, sent).url == url
    admin.post(url, {"text": "每项都可以用。", "code": "", "shared": "on"})
    page = admin.get(url).content.decode()
    assert "缺会议纪要。" in page
    assert "每项都可以用。" not in page
    assert f'href="{url}">常用语（1）' in admin.get(page_of(draft)).content.decode()


def test_the_difference_is_shown_with_the_version_before(admin, draft):
    draft.criteria.get(number=1).indicators.filter(code="G1.01").update(clause="改成这样。")
    page = admin.get(page_of(draft, "rubric_compare")).content.decode()
    assert "<ins>改成这样。</ins>" in page
    assert "<del>" in page
    first = Rubric.objects.get(tier=draft.tier, version=1)
    assert "没有更早的版本" in admin.get(page_of(first, "rubric_compare")).content.decode()


def test_a_draft_is_deleted_and_a_used_one_is_not(admin, draft, first):
    factories.make_campaign()
    answer = admin.post(page_of(first, "rubric_remove"), follow=True)
    assert "不能修改，请另建新版本" in answer.content.decode()
    assert admin.post(page_of(draft, "rubric_remove")).url == LIST
    assert not Rubric.objects.filter(pk=draft.pk).exists()


@pytest.mark.parametrize("kind", ["rubric_json", "rubric_workbook"])
def test_a_file_is_previewed_then_imported_as_a_new_version(admin, first, kind):
    response = admin.get(page_of(first, kind))
    content = b"".join(response) if response.streaming else response.content
    preview = admin.post(IMPORT, {"file": SimpleUploadedFile("标准", content)})
    assert "内容完全相同" in preview.content.decode()
    assert Rubric.objects.filter(tier=first.tier).count() == 1
    admin.post(IMPORT, {"document": preview.context["content"]})
    made = Rubric.objects.get(tier=first.tier, version=2)
    read = rubric_editing.with_indicators(Rubric.objects.filter(pk=made.pk)).get()
    assert rubric_editing.sections_of(read) == rubric_editing.sections_of(first)


def test_a_faulty_file_is_not_imported_however_it_comes(admin, first):
    content = admin.get(page_of(first, "rubric_json")).content.decode()
    faulty = content.replace('"max_points": "', '"max_points": "x', 1)
    for data in ({"document": faulty}, {"file": SimpleUploadedFile("a.json", faulty.encode())}):
        answer = admin.post(IMPORT, data)
        assert answer.status_code == 422
        assert "第 1 好第 1 条：满分——请填写数字" in answer.content.decode()
    assert admin.post(IMPORT, {"document": "x"}).status_code == 422
    assert "请选择文件" in admin.post(IMPORT).content.decode()
    assert not Rubric.objects.filter(version=2).exists()
