"""雷同: what is found alike, what is not, and how little it costs."""

import io
import random

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from PIL import Image, ImageDraw

from assessments import answering, demo, evidence, looks, similarity, wordings
from assessments.choices import Action, State
from assessments.models import (
    Answer,
    Band,
    Evidence,
    Indicator,
    SelfAssessment,
    Similarity,
    StoredFile,
    Trace,
)
from assessments.similarity import finding
from organizations import tree
from organizations.choices import Role, Tier
from organizations.models import Membership, Organization, User
from tests import factories
from tests.factories import make_user, perform, send_back

pytestmark = pytest.mark.django_db

PDF = demo.small_pdf("shared by everybody")
ACCOUNT = (
    "我会每年召开两次职工代表大会，听取行政工作报告，审议通过集体合同草案和职工福利费使用方案，"
    "对涉及职工切身利益的重大事项逐项表决，会后张榜公布并接受职工质询。"
)
EDITED = ACCOUNT.replace("两次", "2次").replace("张榜公布", "在公开栏公布") + "特此说明。"
OTHER = (
    "工会设有独立账户，经费按时足额拨缴，单独核算，经费审查委员会每半年审查一次账目，"
    "审查结果向会员大会报告，本年度没有发现违规使用工会经费的情况。"
)


def photo(seed, size=(800, 600)):
    """A picture with shapes and light of its own; the same for the same seed at any size."""
    dice = random.Random(seed)
    image = Image.frombytes("RGB", (16, 12), bytes(dice.randrange(256) for _ in range(576)))
    image = image.resize((800, 600), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y, width = dice.randrange(800), dice.randrange(600), dice.randrange(30, 200)
        color = tuple(dice.randrange(256) for _ in range(3))
        draw.ellipse([x, y, x + width, y + width], fill=color)
    return image.resize(size)


def form_page(seed):
    """A scanned form: the same head and lines, filled in differently."""
    dice = random.Random(seed)
    image = Image.new("RGB", (800, 1100), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle([200, 60, 600, 110], fill="black")
    for row in range(20):
        draw.line([60, 150 + row * 45, 740, 150 + row * 45], fill="black", width=2)
        x = 80
        while x < 700 * (0.4 + 0.6 * dice.random()):
            width = dice.randrange(10, 26)
            draw.rectangle([x, 160 + row * 45, x + width, 180 + row * 45], fill="black")
            x += width + 8
    return image


def saved(image, fmt="JPEG", **options):
    target = io.BytesIO()
    image.save(target, fmt, **options)
    return target.getvalue()


class Union:
    """A union that hands in files and accounts of the test's choosing."""

    def __init__(self, organization, campaign, capture, head=None):
        self.capture = capture
        self.head = head or make_user((organization, Role.HEAD))
        self.assessment = answering.start(campaign, organization, self.head)
        demo.fill_in(self.assessment, self.head, 1)

    def tell(self, text, code="G1.01"):
        Answer.objects.filter(self_assessment=self.assessment, indicator__code=code).update(
            account=text
        )

    def upload(self, content, name="材料.pdf", code="G1.01"):
        indicator = Indicator.objects.get(code=code, criterion__rubric=self.assessment.rubric)
        refused = evidence.attach(
            self.assessment, indicator, [SimpleUploadedFile(name, content)], self.head
        )
        assert refused == []
        return Evidence.objects.filter(organization=self.assessment.organization).latest("pk")

    def act(self, action, by=None, **details):
        with self.capture(execute=True):
            perform(self.assessment, action, by or self.head, **details)

    def hand_in(self, text="", content=None, name="材料.pdf", code="G1.01"):
        if text:
            self.tell(text, code)
        if content:
            self.upload(content, name, code)
        factories.answer_remarks(self.assessment, self.head)
        self.act(Action.SUBMIT)
        return self.assessment


@pytest.fixture
def union(campaign, django_capture_on_commit_callbacks):
    def make(organization, of=None, head=None):
        return Union(organization, of or campaign, django_capture_on_commit_callbacks, head)

    return make


def pairs(kind=None):
    found = Similarity.objects.filter(kind=kind) if kind else Similarity.objects.all()
    return [
        ({one.left_assessment.organization.name, one.right_assessment.organization.name}, one.kind)
        for one in found
    ]


# --- Files ----------------------------------------------------------------------------------------


def test_the_same_file_in_two_unions_is_found_once(city, union):
    union(city.own).hand_in(content=PDF)
    assert pairs() == []
    later = union(city.foreign)
    later.upload(PDF, code="G1.02")
    later.hand_in(content=PDF, code="G1.03")
    assert pairs() == [({city.own.name, city.foreign.name}, "FILE")]
    pair = Similarity.objects.get()
    assert (pair.degree, pair.left.codes, pair.right.codes) == (100, ["G1.01"], ["G1.02", "G1.03"])


def test_a_file_that_is_only_in_the_library_or_in_a_draft_is_nobodys_business(city, union):
    union(city.own).upload(PDF)
    union(city.foreign).hand_in(content=PDF)
    assert pairs() == []


def test_flags_are_listed_at_each_indicator_of_the_file(city, union):
    union(city.own).hand_in(content=PDF)
    later = union(city.foreign)
    later.upload(PDF, code="G1.02")
    assessment = later.hand_in(content=PDF, code="G1.03")
    flags = similarity.flags_for(assessment, city.lead)
    assert list(flags) == ["G1.02", "G1.03"]
    assert [match.assessment.organization for match in flags["G1.02"][0].matches] == [city.own]
    assert flags["G1.02"][0].more == 0


# --- Pictures -------------------------------------------------------------------------------------


def turned(image):
    """As a phone stores it: lying on its side, with a note which way is up."""
    exif = Image.Exif()
    exif[274] = 6
    return saved(image.rotate(90, expand=True), exif=exif)


@pytest.mark.parametrize(
    "copy",
    [
        lambda image: saved(image, quality=35),
        lambda image: saved(image.resize((320, 240)), "PNG"),
        lambda image: saved(image.crop((8, 6, 792, 594)), "WEBP"),
        turned,
    ],
    ids=["saved anew", "smaller", "trimmed", "turned"],
)
def test_a_copy_of_a_picture_is_found(city, union, copy):
    union(city.own).hand_in(content=saved(photo(1)), name="活动.jpg")
    name = {b"\x89P": "b.png", b"RI": "b.webp"}.get(copy(photo(1))[:2], "b.jpg")
    union(city.foreign).hand_in(content=copy(photo(1)), name=name)
    assert pairs() == [({city.own.name, city.foreign.name}, "IMAGE")]
    assert 88 <= Similarity.objects.get().degree <= 100


def test_different_photos_and_different_fillings_of_a_form_are_not_alike(city, union):
    first, second = union(city.own), union(city.foreign)
    for number in range(6):
        first.upload(saved(photo(number)), f"{number}.jpg")
        first.upload(saved(form_page(number)), f"表{number}.jpg")
        second.upload(saved(photo(100 + number)), f"{number}.jpg")
        second.upload(saved(form_page(100 + number)), f"表{number}.jpg")
    first.hand_in()
    second.hand_in()
    assert pairs() == []
    assert Band.objects.exists()


def blank(level, noise, seed):
    image = Image.effect_noise((600, 800), noise).point(lambda value: value // 4 + level)
    draw = ImageDraw.Draw(image)
    draw.line([50, 50 + seed, 90, 50 + seed], fill=0)
    return image.convert("RGB")


def test_blank_pages_have_no_look_and_flood_nothing(city, union):
    pages = [
        Image.new("RGB", (600, 800), "white"),
        Image.new("RGB", (600, 800), "black"),
        Image.linear_gradient("L").resize((600, 800)).convert("RGB"),
        blank(180, 30, 0),
        blank(180, 30, 9),
    ]
    assert [looks.of(page) for page in pages] == [""] * len(pages)
    for organization, page in zip((city.own, city.foreign), pages[3:], strict=True):
        union(organization).hand_in(content=saved(page), name="空白.jpg")
    assert pairs() == []
    assert set(StoredFile.objects.values_list("look", flat=True)) == {""}


def test_looks_that_differ_a_little_share_a_band():
    look = looks.of(photo(3))
    assert len(look) == looks.DIGITS
    bits = int(look, 16)
    top = looks.DIGITS * 4 - 1
    for seed in range(50):
        changed = bits
        for place in random.Random(seed).sample(range(128), 7):
            changed ^= 1 << (top - place)
        other = f"{changed:0{looks.DIGITS}x}"
        assert set(looks.bands(look)) & set(looks.bands(other))
        assert looks.likeness(look, other) == 100  # the fine hash is as it was


def test_the_command_looks_at_pictures_and_makes_up_for_what_was_missed(city, union, capsys):
    for organization, quality in ((city.own, 90), (city.foreign, 40)):
        union(organization).hand_in(content=saved(photo(1), quality=quality), name="a.jpg")
    kept = Similarity.objects.get().degree
    Similarity.objects.all().delete()
    Trace.objects.update(look="")
    Band.objects.all().delete()
    StoredFile.objects.update(look=None)
    call_command("find_similar")
    assert Similarity.objects.get().degree == kept
    assert not StoredFile.objects.filter(look=None).exists()
    before = list(Similarity.objects.values_list("pk", flat=True)), Band.objects.count()
    call_command("find_similar", "--all")
    after = list(Similarity.objects.values_list("pk", flat=True)), Band.objects.count()
    assert after == before
    assert "2 submissions compared" in capsys.readouterr().out


def test_the_command_names_a_picture_that_is_missing(city, union, capsys):
    union(city.own).upload(saved(photo(1)), "a.jpg")
    file = StoredFile.objects.exclude(look="").get()
    file.file.storage.delete(file.file.name)
    StoredFile.objects.filter(pk=file.pk).update(look=None)
    call_command("find_similar")
    assert f"missing: {file.file.name}" in capsys.readouterr().err


# --- Accounts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("copy", [ACCOUNT, EDITED, ACCOUNT.replace("，", " , ") + "！"])
def test_an_account_that_was_copied_is_found(city, union, copy):
    union(city.own).hand_in(ACCOUNT)
    union(city.foreign).hand_in(copy)
    assert pairs() == [({city.own.name, city.foreign.name}, "TEXT")]
    assert Similarity.objects.get().degree >= 90


def test_the_names_of_the_unions_hide_nothing(city, union):
    union(city.own).hand_in(f"{city.own.name}：{ACCOUNT}示例机械制造有限公司{city.county.name}")
    union(city.foreign).hand_in(
        f"{city.foreign.name}：{ACCOUNT}示例实验小学{city.other_county.name}"
    )
    assert Similarity.objects.get().degree == 100


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ACCOUNT, OTHER),
        ("已按要求开展，资料齐全，详见附件。", "已按要求开展，资料齐全，详见附件。"),
        ("", ""),
    ],
    ids=["different", "short", "none"],
)
def test_what_everybody_writes_is_not_alike(city, union, first, second):
    union(city.own).hand_in(first)
    union(city.foreign).hand_in(second)
    assert pairs() == []


def test_the_same_account_of_another_indicator_is_not_compared(city, union):
    union(city.own).hand_in(ACCOUNT, code="G1.01")
    union(city.foreign).hand_in(ACCOUNT, code="G1.02")
    assert pairs() == []


def test_other_tiers_have_other_indicators(city, union):
    union(city.own).hand_in(ACCOUNT)
    union(city.township).hand_in(ACCOUNT, code="T1.01")
    assert pairs() == []


def test_how_alike_counts_is_a_setting(city, union, settings):
    settings.SIMILAR_TEXT_PERCENT = 99
    union(city.own).hand_in(ACCOUNT)
    union(city.foreign).hand_in(EDITED)
    assert pairs() == []


def test_wordings_are_told_apart_without_their_punctuation():
    assert (
        wordings.plain("ＡＢ－１、 甲；乙。示例工会委员会与示例", ["示例工会委员会"]) == "ab1甲乙与"
    )
    assert wordings.differences("甲乙丙", "甲丁丙") == (
        [(False, "甲"), (True, "乙"), (False, "丙")],
        [(False, "甲"), (True, "丁"), (False, "丙")],
    )


# --- Own past, other years ------------------------------------------------------------------------


@pytest.fixture
def next_year(campaign):
    return factories.make_campaign(year=campaign.year + 1)


def test_last_years_own_is_not_alike_but_another_unions_is(city, union, next_year):
    union(city.own, head=city.head).hand_in(ACCOUNT, PDF)
    union(city.own, of=next_year, head=city.head).hand_in(ACCOUNT, PDF)
    assert pairs() == []
    union(city.foreign, of=next_year).hand_in(ACCOUNT, PDF)
    assert sorted(kind for _, kind in pairs()) == ["FILE", "FILE", "TEXT", "TEXT"]
    assert set(Similarity.objects.values_list("campaign", flat=True)) == {next_year.pk}


# --- Handing in again -----------------------------------------------------------------------------


def judged(pair, by):
    return similarity.judge(
        pair, finding="CLEARED", remark="联合举办。", seen=similarity.stamp(pair), by=by
    )


def test_handing_in_again_keeps_what_has_not_changed_and_drops_what_is_gone(city, union):
    union(city.own).hand_in(ACCOUNT, PDF)
    later = union(city.foreign)
    later.hand_in(ACCOUNT, PDF)
    file, text = Similarity.objects.get(kind="FILE"), Similarity.objects.get(kind="TEXT")
    judged(file, city.lead)
    send_back(later.assessment, city.lead)
    later.hand_in(OTHER)
    assert Similarity.objects.get().pk == file.pk
    assert Similarity.objects.get().finding == "CLEARED"
    assert not Similarity.objects.filter(pk=text.pk).exists()
    send_back(later.assessment, city.lead)
    later.hand_in(ACCOUNT)
    again = Similarity.objects.get(kind="TEXT")
    assert again.finding == ""


def test_withdrawing_takes_the_flags_along(city, union):
    union(city.own).hand_in(ACCOUNT, PDF)
    later = union(city.foreign)
    later.hand_in(ACCOUNT, PDF)
    later.act(Action.WITHDRAW)
    assert pairs() == []
    assert not Trace.objects.filter(self_assessment=later.assessment).exists()
    later.act(Action.SUBMIT)
    assert len(pairs()) == 2


def test_a_failure_costs_the_union_nothing(city, union, monkeypatch, caplog):
    def fail(*args):
        raise RuntimeError("out of order")

    monkeypatch.setattr(finding, "_search", fail)
    union(city.own).hand_in(ACCOUNT)
    assert SelfAssessment.objects.get().state == State.SUBMITTED
    assert "out of order" in caplog.text
    monkeypatch.undo()
    union(city.foreign).hand_in(ACCOUNT)
    assert pairs() == []
    call_command("find_similar")
    assert len(pairs()) == 1


# --- Caps and cost --------------------------------------------------------------------------------


def crowd(city, template, count):
    """`count` unions more that have handed in what the template has: its files and accounts."""
    prefix = f"K{Organization.objects.count()}-"
    tree.plant_all(
        Organization(
            code=f"{prefix}{n:04}",
            name=f"示例{prefix}{n}",
            tier=Tier.GRASSROOTS,
            parent=city.township,
        )
        for n in range(count)
    )
    unions = list(Organization.objects.filter(code__startswith=prefix))
    made = SelfAssessment.objects.bulk_create(
        SelfAssessment(
            campaign=template.campaign,
            organization=one,
            rubric=template.rubric,
            place=one.path,
            state=State.SUBMITTED,
            revision=1,
            submitted_at=template.submitted_at,
            self_total=90,
        )
        for one in unions
    )
    for trace in template.traces.select_related("evidence"):
        files = [None] * count
        if trace.evidence:
            files = Evidence.objects.bulk_create(
                Evidence(
                    organization=one,
                    stored_file=trace.evidence.stored_file,
                    name="共用.pdf",
                    uploaded_by=city.admin,
                )
                for one in unions
            )
        copies = Trace.objects.bulk_create(
            Trace(
                self_assessment=one,
                evidence=file,
                code=trace.code,
                codes=trace.codes,
                revision=1,
                exact=trace.exact,
                wording=trace.wording,
                look=trace.look,
            )
            for one, file in zip(made, files, strict=True)
        )
        Band.objects.bulk_create(
            Band(trace=copy, key=key) for copy in copies[:100] for key in finding._keys(trace)
        )


def handing_in(maker, *args):
    with CaptureQueriesContext(connection) as queries:
        maker.hand_in(*args)
    return len(queries)


def test_what_hundreds_hand_in_is_stored_in_part_and_counted_whole(city, union):
    template = union(city.own).hand_in(ACCOUNT, PDF)
    crowd(city, template, 150)
    late = union(city.foreign)
    assessment = late.hand_in(EDITED, PDF)
    assert Similarity.objects.filter(kind="FILE").count() == finding.MAX_PAIRS
    assert Similarity.objects.filter(kind="TEXT").count() == finding.MAX_PAIRS
    file, text = (
        flag
        for flag in sorted(
            similarity.flags_for(assessment, city.lead)["G1.01"],
            key=lambda flag: flag.trace.evidence is None,
        )
    )
    assert (len(file.matches), file.more, file.rest) == (20, 131, 146)
    assert len(text.matches) == 20
    # A key of the index stands for no more than a bucket of traces.
    key = finding._keys(Trace.objects.filter(wording__gt="").first())[0]
    assert Band.objects.filter(key=key).count() <= finding.MAX_BUCKET + 1


def test_handing_in_costs_the_same_among_few_and_many(city, union):
    template = union(city.own).hand_in(ACCOUNT, PDF)
    crowd(city, template, 5)
    few = handing_in(union(city.foreign), ACCOUNT, PDF)
    crowd(city, template, 300)
    many = handing_in(union(city.direct), ACCOUNT, PDF)
    assert many <= few


def test_the_first_of_many_is_told_how_many_came_after(city, union):
    first = union(city.own).hand_in(content=PDF)
    for _ in range(finding.MAX_PAIRS + 2):
        organization = factories.make_organization(Tier.GRASSROOTS, city.township)
        with_file = union(organization)
        with_file.upload(PDF)
        with_file.act(Action.SUBMIT)
    flag = similarity.flags_for(first, city.lead)["G1.01"][0]
    assert len(flag.matches) + flag.more == finding.MAX_PAIRS + 2
    township_head = User.objects.get(pk=city.township_head.pk)
    below = similarity.flags_for(first, township_head)["G1.01"][0]
    assert (len(below.matches), below.more) == (len(flag.matches), 0)  # the city alone counts


def test_flags_cost_at_most_two_queries_at_any_size(city, union, django_assert_num_queries):
    template = union(city.own).hand_in(ACCOUNT, PDF)
    crowd(city, template, 5)
    first = union(city.foreign).hand_in(ACCOUNT, PDF)
    crowd(city, template, 100)
    second = union(city.direct).hand_in(ACCOUNT, PDF)
    for assessment, queries in ((first, 1), (second, 2)):
        reader = User.objects.get(pk=city.lead.pk)
        assert similarity.flags_for(assessment, reader)  # roles and recusals are read once
        with django_assert_num_queries(queries):
            assert len(similarity.flags_for(assessment, reader)["G1.01"]) == 2


# --- The books ------------------------------------------------------------------------------------


def test_the_database_holds_each_pair_once_in_order_and_between_two(city, union):
    union(city.own).hand_in(content=PDF)
    union(city.foreign).hand_in(content=PDF)
    pair = Similarity.objects.get()
    same = {
        "campaign": pair.campaign,
        "kind": "FILE",
        "left_assessment": pair.left_assessment,
        "right_assessment": pair.right_assessment,
        "degree": 100,
    }
    wrong = [
        same | {"left": pair.left, "right": pair.right},
        same | {"left": pair.right, "right": pair.left},
        same | {"left": pair.left, "right": pair.left},
    ]
    for fields in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            Similarity.objects.create(**fields)
    for change in ({"degree": 101}, {"kind": "?"}, {"finding": "CLEARED"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Similarity.objects.filter(pk=pair.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        Similarity.objects.filter(pk=pair.pk).update(right_assessment=pair.left_assessment)


# --- Who sees a flag ------------------------------------------------------------------------------


def sees(user, pair):
    return Similarity.objects.visible_to(User.objects.get(pk=user.pk)).filter(pk=pair.pk).exists()


def test_superiors_see_flags_within_their_own_subtree_only(city, union):
    union(city.own).hand_in(content=PDF)
    union(city.sibling).hand_in(content=PDF)
    near = Similarity.objects.get()
    union(city.foreign).hand_in(content=PDF)
    far = Similarity.objects.exclude(pk=near.pk).first()
    users = city.users()
    assert {name for name, user in users.items() if sees(user, near)} == {
        "township_head",
        "county_head",
        "county_admin",
        "lead",
        "admin",
        "leader",
    }
    assert {name for name, user in users.items() if sees(user, far)} == {"lead", "admin", "leader"}


@pytest.mark.parametrize("who", ["lead", "admin", "reviewer"])
@pytest.mark.parametrize("stands_back_from", ["own", "township", "foreign"])
def test_who_must_stand_back_from_either_union_sees_nothing(city, union, who, stands_back_from):
    union(city.own).hand_in(content=PDF)
    later = union(city.foreign).hand_in(content=PDF)
    later.reviews.create(reviewer=city.reviewer, revision=1, assigned_by=city.lead)
    pair, user = Similarity.objects.get(), getattr(city, who)
    assert sees(user, pair)
    organization = getattr(city, stands_back_from)
    if who == "admin":
        Membership.objects.create(user=user, organization=organization, role=Role.REPORTER)
    else:
        user.recusals.create(organization=organization, reason="亲属")
    assert not sees(user, pair)
    assert similarity.flags_for(later, User.objects.get(pk=user.pk)) == {}
