"""The pages of 雷同: what a reviewer, a lead and a superior find there, and what they may open."""

import pytest
from django.urls import reverse

from assessments import similarity
from assessments.choices import Action, State
from assessments.models import Similarity
from organizations import audit
from organizations.choices import Role
from organizations.models import AuditEvent, Membership, User
from tests.assessments.test_similarity import (
    ACCOUNT,
    EDITED,
    crowd,
    photo,
    saved,
    union,  # noqa: F401 - a fixture
)
from tests.factories import make_self_assessment, send_back

pytestmark = pytest.mark.django_db


class Scene:
    """A submission that is given to the reviewer, and that of a foreign union that it copies."""

    def __init__(self, city, union):  # noqa: F811
        self.city = city
        self.theirs, self.ours = union(city.foreign), union(city.own)
        self.other_file = self.theirs.upload(saved(photo(1)), "他人照片.jpg")
        self.unflagged = self.theirs.upload(saved(photo(2)), "无关照片.jpg")
        self.theirs.hand_in(ACCOUNT)
        self.file = self.ours.upload(saved(photo(1), quality=40), "我的照片.jpg")
        self.ours.hand_in(EDITED)
        self.review = self.ours.assessment.reviews.create(
            reviewer=city.reviewer, revision=1, assigned_by=city.lead
        )
        self.picture = Similarity.objects.get(kind="IMAGE")
        self.text = Similarity.objects.get(kind="TEXT")

    @property
    def page(self):
        return reverse("assessments:review_similar", args=[self.review.pk])


@pytest.fixture
def scene(city, union):  # noqa: F811
    return Scene(city, union)


def file_urls(evidence):
    return [
        reverse(f"assessments:evidence_{page}", args=[evidence.pk])
        for page in ("view", "content", "thumbnail", "download")
    ]


def statuses(client, urls):
    return {client.get(url).status_code for url in urls}


def test_the_page_of_a_review_lays_both_sides_beside_each_other(client, city, scene):
    client.force_login(city.reviewer)
    html = client.get(scene.page).content.decode()
    for expected in ("我的照片.jpg", "他人照片.jpg", city.foreign.name, "<mark>", "待核实"):
        assert expected in html
    assert "无关照片.jpg" not in html
    assert [part for part in file_urls(scene.other_file)[2:3] if part in html]


def test_the_scoring_page_names_what_is_alike_at_its_indicator(client, city, scene):
    client.force_login(city.reviewer)
    url = reverse("assessments:review_criterion", args=[scene.review.pk, 1])
    html = client.get(url).content.decode()
    first, second = html.split('id="G1.01"')[1].split('id="G1.02"')
    assert "雷同提示：《我的照片.jpg》" in first
    assert "雷同提示：自评说明" in first
    assert scene.text.get_absolute_url() in first
    assert "雷同提示" not in second
    overview = client.get(scene.review.get_absolute_url()).content.decode()
    assert "待核实 2 处" in overview


def test_the_reviewer_may_open_the_other_side_and_nothing_else_there(client, city, scene):
    client.force_login(city.reviewer)
    assert statuses(client, file_urls(scene.other_file)) == {200}
    assert statuses(client, file_urls(scene.unflagged)) == {404}
    assert client.get(scene.theirs.assessment.get_absolute_url()).status_code == 404
    client.force_login(city.other_reviewer)
    assert statuses(client, file_urls(scene.other_file)) == {404}
    assert statuses(client, [scene.page, scene.picture.get_absolute_url()]) == {404}


def test_who_is_recused_from_the_other_union_sees_nothing_of_it(client, city, scene):
    city.reviewer.recusals.create(organization=city.other_township, reason="亲属")
    client.force_login(city.reviewer)
    assert statuses(client, file_urls(scene.other_file)) == {404}
    assert statuses(client, [scene.picture.get_absolute_url()]) == {404}
    html = client.get(scene.page).content.decode()
    assert "没有发现与其他工会雷同" in html
    assert city.foreign.name not in html
    criterion = reverse("assessments:review_criterion", args=[scene.review.pk, 1])
    assert city.foreign.name not in client.get(criterion).content.decode()


def test_a_conflict_that_arises_closes_the_flag(client, city, scene):
    Membership.objects.create(user=city.reviewer, organization=city.foreign, role=Role.VIEWER)
    url = scene.picture.get_absolute_url()
    client.force_login(city.reviewer)
    assert client.get(url).status_code == 404
    answer = {"finding": "CLEARED", "remark": "无", "seen": similarity.stamp(scene.picture)}
    assert client.post(url, answer).status_code == 404


def test_what_is_being_corrected_is_shown_by_name_only(client, city, scene):
    send_back(scene.theirs.assessment, city.lead)
    client.force_login(city.reviewer)
    html = client.get(scene.page).content.decode()
    assert "您无权查看内容" in html
    assert city.foreign.name in html
    assert "他人照片.jpg" not in html
    assert "张榜公布" not in html  # theirs; ours says it otherwise
    assert statuses(client, file_urls(scene.other_file)) == {404}


def test_what_was_withdrawn_is_shown_no_more(client, city, scene):
    scene.theirs.act(Action.WITHDRAW)
    client.force_login(city.reviewer)
    assert "没有发现" in client.get(scene.page).content.decode()
    assert statuses(client, file_urls(scene.other_file)) == {404}


@pytest.mark.parametrize("who", ["head", "reporter", "foreign_head", "sibling_head", "nobody"])
def test_the_unions_themselves_and_strangers_find_nothing(client, city, scene, who):
    client.force_login(getattr(city, who))
    urls = [
        scene.page,
        reverse("assessments:self_assessment_similar", args=[scene.ours.assessment.pk]),
        scene.text.get_absolute_url(),
        reverse("assessments:similarity_list"),
    ]
    assert statuses(client, urls) == {404}
    own = client.get(scene.ours.assessment.get_absolute_url())
    assert own.status_code in (200, 404)
    assert "雷同" not in own.content.decode()


def test_a_superior_finds_the_flags_of_its_own_subtree_when_endorsing(
    client,
    city,
    union,  # noqa: F811
):
    campaign = union(city.own).assessment.campaign
    campaign.policies.update(endorsement_required=True)
    union(city.sibling).hand_in(ACCOUNT)
    union(city.foreign).hand_in(ACCOUNT)
    ours = union(city.own).hand_in(EDITED)
    client.force_login(city.township_head)
    page = reverse("assessments:self_assessment_similar", args=[ours.pk])
    html = client.get(page).content.decode()
    assert city.sibling.name in html
    assert city.foreign.name not in html
    endorse = reverse("assessments:self_assessment_act", args=[ours.pk, "endorse"])
    assert "有 1 处材料或说明与下属其他工会雷同" in client.get(endorse).content.decode()
    assert page in client.get(ours.get_absolute_url()).content.decode()
    pair = Similarity.objects.visible_to(User.objects.get(pk=city.township_head.pk)).get()
    similarity.judge(pair, finding="CLEARED", remark="联合举办。", seen="|", by=city.lead)
    html = client.get(pair.get_absolute_url()).content.decode()
    assert "联合举办。" in html
    assert city.lead.full_name not in html.replace("评审组长", "")  # names are the city's own
    assert "保存核实结论" not in html
    assert client.post(pair.get_absolute_url(), {"finding": "CLEARED"}).status_code == 404


def test_what_many_share_is_listed_in_part_and_counted_whole(client, city, scene):
    crowd(city, scene.theirs.assessment, 30)
    send_back(scene.ours.assessment, city.lead)
    scene.ours.hand_in(ACCOUNT)
    client.force_login(city.reviewer)
    html = client.get(scene.page).content.decode()
    assert "G1.01 自评说明：另有 11 处没有列出。" in html
    assert "翻页" in html
    scene.ours.assessment.refresh_from_db()
    flag = similarity.flags_for(scene.ours.assessment, city.lead)["G1.01"]
    assert {(len(one.listed), one.rest) for one in flag if not one.trace.evidence} == {(5, 26)}


# --- What was found -------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["reviewer", "lead", "admin"])
def test_a_finding_is_kept_and_on_record(client, city, scene, who):
    client.force_login(getattr(city, who))
    url = scene.text.get_absolute_url()
    seen = client.get(url).context["seen"]
    response = client.post(
        url, {"finding": "CONFIRMED", "remark": "照抄自实验小学。", "seen": seen}, follow=True
    )
    assert response.status_code == 200
    html = response.content.decode()
    assert "核实结论已保存" in html
    assert "雷同核实：属实" in html
    scene.text.refresh_from_db()
    assert (scene.text.finding, scene.text.remark) == ("CONFIRMED", "照抄自实验小学。")
    assert scene.text.judged_by == getattr(city, who)
    event = audit.events_of(scene.text).get()
    assert event.details["reason"] == "照抄自实验小学。"
    assert list(audit.verify()) == []
    # Not on the union's own timeline.
    assert not AuditEvent.objects.filter(
        chain__key=audit.chain_key(scene.ours.assessment), action__startswith="SIMILARITY"
    ).exists()
    client.force_login(city.reviewer)
    assert "待核实 1 处" in client.get(scene.review.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"remark": "有说明"}, "请选择结论。"),
        ({"finding": "MAYBE", "remark": "有说明"}, "请选择结论。"),
        ({"finding": "CLEARED"}, "请写明核实的情况。"),
        ({"finding": "CLEARED", "remark": "长" * 201}, "最多 200 字，现为 201 字，请删减。"),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_nothing_typed_is_lost(
    client, city, scene, fields, message
):
    client.force_login(city.lead)
    url = scene.text.get_absolute_url()
    html = client.post(url, fields | {"seen": similarity.stamp(scene.text)}).content.decode()
    assert message in html
    assert fields.get("remark", "") in html
    scene.text.refresh_from_db()
    assert scene.text.finding == ""


def test_two_who_judge_at_once_do_not_overwrite_each_other(client, city, scene):
    url = scene.text.get_absolute_url()
    seen = similarity.stamp(scene.text)
    client.force_login(city.lead)
    client.post(url, {"finding": "CONFIRMED", "remark": "属实。", "seen": seen})
    client.force_login(city.reviewer)
    typed = {"finding": "CLEARED", "remark": "两家同属一个系统。"}
    response = client.post(url, typed | {"seen": seen})
    assert response.status_code == 409
    html = response.content.decode()
    assert f"{city.lead}已经作出核实" in html
    assert "两家同属一个系统。" in html
    scene.text.refresh_from_db()
    assert scene.text.finding == "CONFIRMED"
    again = client.post(url, typed | {"seen": response.context["seen"]})
    assert again.status_code == 302
    scene.text.refresh_from_db()
    assert scene.text.finding == "CLEARED"


def test_a_flag_that_is_gone_is_not_found(client, city, scene):
    url = scene.text.get_absolute_url()
    client.force_login(city.lead)
    scene.text.delete()
    assert client.get(url).status_code == 404
    assert client.post(url, {"finding": "CLEARED", "remark": "无"}).status_code == 404
    with pytest.raises(similarity.NotPossible):
        similarity.judge(
            scene.picture.__class__(pk=0), finding="CLEARED", remark="", seen="", by=city.lead
        )


# --- The overview ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("", {"IMAGE", "TEXT"}),
        ("?kind=TEXT", {"TEXT"}),
        ("?kind=FILE", set()),
        ("?finding=CLEARED", {"IMAGE"}),
        ("?finding=NONE", {"TEXT"}),
        ("?q=实验小学", {"IMAGE", "TEXT"}),
        ("?q=没有这家", set()),
        ("?kind=nonsense&county=nonsense", {"IMAGE", "TEXT"}),
    ],
)
def test_the_lead_narrows_the_flags_of_a_campaign(client, city, scene, query, kinds):
    similarity.judge(scene.picture, finding="CLEARED", remark="联合举办。", seen="|", by=city.lead)
    client.force_login(city.lead)
    response = client.get(reverse("assessments:similarity_list") + query)
    assert {pair.kind for pair in response.context["pairs"]} == kinds


def test_the_lead_narrows_them_to_a_county(client, city, scene):
    client.force_login(city.admin)
    url = reverse("assessments:similarity_list")
    for county, count in ((city.county, 2), (city.other_county, 2), (city.industry, 0)):
        response = client.get(url, {"county": county.code})
        assert response.context["paginator"].count == count


def test_what_is_alike_is_found_in_a_story_through_the_pages(client, city, campaign):
    """Without a flag the pages say so."""
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    client.force_login(city.reviewer)
    page = reverse("assessments:review_similar", args=[assessment.reviews.get().pk])
    assert "没有发现与其他工会雷同" in client.get(page).content.decode()
    client.force_login(city.lead)
    assert "没有发现雷同" in client.get(reverse("assessments:similarity_list")).content.decode()
