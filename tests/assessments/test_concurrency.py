"""Two people at once, with real threads and connections: one wins, nothing is half done."""

import threading
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction

from assessments import (
    answering,
    appeals,
    arbitration,
    assigning,
    assignment_runs,
    deadlines,
    deciding,
    demo,
    evidence,
    library,
    oversight,
    publishing,
    ranking,
    recognition,
    recommending,
    reviewing,
    urging,
    verdicts,
    workflow,
    worksheet,
)
from assessments.choices import Action, AppealKind, AppealState, State
from assessments.entries import Entry
from assessments.models import (
    Decision,
    Endorsement,
    Evidence,
    Recognition,
    ReviewScore,
    SelfAssessment,
    Standing,
    StoredFile,
    Urge,
)
from assessments.scoring import Rating
from assessments.supervision import planning, rectifying
from organizations import audit
from organizations.choices import Role
from organizations.models import AuditEvent, Organization, User
from tests import factories
from tests.factories import make_self_assessment, perform
from tests.uploads import PNG

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def city(transactional_db):
    return factories.make_city()


def at_once(*jobs):
    """Run the jobs in threads that start together; what each returned or raised."""
    barrier, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(index, job):
        barrier.wait()
        try:
            results[index] = job()
        except Exception as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def doing(assessment, action, user, **details):
    def job():
        fresh = SelfAssessment.objects.get(pk=assessment.pk)
        return workflow.perform(fresh, action, by=User.objects.get(pk=user.pk), **details)

    return job


def exactly_one(results):
    refused = [r for r in results if isinstance(r, workflow.TransitionRefused)]
    done = [r for r in results if isinstance(r, SelfAssessment)]
    assert (len(done), len(refused)) == (1, len(results) - 1), results
    return done[0]


def test_submitting_twice_hands_in_once(city, campaign):
    assessment = make_self_assessment(city, campaign)
    exactly_one(at_once(*[doing(assessment, Action.SUBMIT, city.head)] * 4))
    assert assessment.revisions.count() == 1
    assert list(audit.verify()) == []


def test_withdrawing_against_beginning_the_review(city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    assigning.assign(assessment, city.reviewer, city.lead)
    done = exactly_one(
        at_once(
            doing(assessment, Action.WITHDRAW, city.head),
            doing(assessment, Action.BEGIN_REVIEW, city.reviewer),
        )
    )
    assessment.refresh_from_db()
    assert assessment.state == done.state
    assert list(audit.verify()) == []


def test_taking_an_endorsement_back_against_beginning_the_review(city):
    strict = factories.make_campaign(endorsement=True)
    assessment = make_self_assessment(city, strict, State.ENDORSED)
    assigning.assign(assessment, city.reviewer, city.lead)
    done = exactly_one(
        at_once(
            doing(assessment, Action.WITHDRAW_ENDORSEMENT, city.township_head),
            doing(assessment, Action.BEGIN_REVIEW, city.lead),
        )
    )
    stands = assessment.endorsements.standing().exists()
    assert stands == (done.state == State.UNDER_REVIEW)
    assert list(audit.verify()) == []


def test_two_heads_endorsing_the_same(city):
    strict = factories.make_campaign(endorsement=True)
    assessment = make_self_assessment(city, strict, State.SUBMITTED)
    other = factories.make_user((city.township, Role.HEAD))
    exactly_one(
        at_once(
            doing(assessment, Action.ENDORSE, city.township_head, opinion="一"),
            doing(assessment, Action.ENDORSE, other, opinion="二"),
        )
    )
    assert assessment.endorsements.count() == 1


def test_two_heads_giving_the_same_rank(city):
    strict = factories.make_campaign(endorsement=True)
    mine = make_self_assessment(city, strict, State.SUBMITTED)
    theirs = make_self_assessment(city, strict, State.SUBMITTED, organization=city.sibling)
    exactly_one(
        at_once(
            *[
                doing(one, Action.ENDORSE, city.township_head, opinion="好", rank=1)
                for one in (mine, theirs)
            ]
        )
    )
    assert Endorsement.objects.standing().get().rank == 1


def test_saving_ranks_against_endorsing_with_one_of_them(city):
    strict = factories.make_campaign(endorsement=True)
    mine = make_self_assessment(city, strict, State.ENDORSED)
    theirs = make_self_assessment(city, strict, State.SUBMITTED, organization=city.sibling)
    rows = list(ranking.ranked(city.township, strict, "GRASSROOTS"))

    def saving():
        return ranking.save_ranks(
            city.township,
            strict,
            "GRASSROOTS",
            {rows[0].pk: 1},
            by=User.objects.get(pk=city.township_head.pk),
            seen=ranking.rank_stamp(rows),
        )

    results = at_once(
        saving, doing(theirs, Action.ENDORSE, city.township_head, opinion="好", rank=1)
    )
    refused = [
        one for one in results if isinstance(one, ranking.NotAllowed | workflow.TransitionRefused)
    ]
    assert len(refused) == 1, results
    assert mine.endorsements.get().rank in (None, 1)


def test_two_urging_together_tell_each_union_once(city, campaign):
    def urging_as(user):
        def job():
            by = User.objects.get(pk=user.pk)
            return urging.urge(
                oversight.rows(by, campaign), campaign, text="请填报", by=by, at=deadlines.now()
            )

        return job

    results = at_once(urging_as(city.lead), urging_as(city.admin))
    assert sum(results) == Urge.objects.count() == 5
    assert list(audit.verify()) == []


def test_deciding_against_reopening_the_review(city, campaign):
    assessment = make_self_assessment(city, campaign, State.REVIEWED)
    done = exactly_one(
        at_once(
            doing(assessment, Action.DECIDE, city.lead),
            doing(assessment, Action.REOPEN_REVIEW, city.admin, reason="再看"),
        )
    )
    assert assessment.decisions.count() == (1 if done.state == State.DECIDED else 0)


def test_two_decisions_together_have_different_numbers(city, campaign):
    both = [
        make_self_assessment(city, campaign, State.REVIEWED, organization=one)
        for one in (city.own, city.foreign)
    ]
    results = at_once(*[doing(one, Action.DECIDE, city.lead) for one in both])
    assert all(isinstance(result, SelfAssessment) for result in results), results
    assert sorted(Decision.objects.values_list("number", flat=True)) == [1, 2]


def test_a_list_applied_by_two_together_is_applied_once(city, campaign):
    make_self_assessment(city, campaign, State.REVIEWED)
    rows = SelfAssessment.objects.all()
    batch, _ = deciding.prepare(campaign, rows, "评定会", city.lead)
    results = at_once(
        *[
            lambda user=user: deciding.apply(batch, "", User.objects.get(pk=user.pk))
            for user in (city.lead, city.admin)
        ]
    )
    assert sorted(result == 1 for result in results) == [False, True], results
    assert Decision.objects.count() == 1
    assert list(audit.verify()) == []


def test_applying_a_list_against_reopening_a_review_on_it(city, campaign):
    """Either all of the list is decided, or none of it."""
    both = [
        make_self_assessment(city, campaign, State.REVIEWED, organization=one)
        for one in (city.own, city.foreign)
    ]
    batch, _ = deciding.prepare(campaign, SelfAssessment.objects.all(), "评定会", city.lead)
    results = at_once(
        lambda: deciding.apply(batch, "", User.objects.get(pk=city.lead.pk)),
        doing(both[1], Action.REOPEN_REVIEW, city.admin, reason="再看"),
    )
    applied = results[0] == 2
    assert Decision.objects.count() == (2 if applied else 0), results
    assert isinstance(results[1], workflow.TransitionRefused if applied else SelfAssessment)
    batch.refresh_from_db()
    assert batch.is_open is not applied


def test_two_sharing_out_together_give_nothing_twice(city, campaign):
    make_self_assessment(city, campaign, State.SUBMITTED)
    rows = SelfAssessment.objects.filter(campaign=campaign)
    people = [city.reviewer, city.other_reviewer]
    draft = assignment_runs.prepare(campaign, rows, people, 1, city.lead)
    results = at_once(
        *[
            lambda user=user: assignment_runs.carry_out(
                campaign,
                rows,
                people,
                1,
                User.objects.get(pk=user.pk),
                digest=draft.plan.digest,
                scope="全部",
            )
            for user in (city.lead, city.admin)
        ]
    )
    assert sum(isinstance(one, assignment_runs.Changed) for one in results) == 1, results
    assert SelfAssessment.objects.get().reviews.count() == 1


def test_withdrawing_against_handing_in(city, campaign):
    """One after the other or not at all; the record says which."""
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    results = at_once(
        doing(assessment, Action.WITHDRAW, city.head), doing(assessment, Action.SUBMIT, city.head)
    )
    assessment.refresh_from_db()
    done = [one for one in results if isinstance(one, SelfAssessment)]
    assert assessment.revision == (2 if len(done) == 2 else 1)
    assert assessment.state == (State.SUBMITTED if len(done) == 2 else State.DRAFT), results
    assert assessment.revisions.count() == assessment.revision
    assert list(audit.verify()) == []


def test_two_reviewers_completing_together_finish_the_review(city):
    campaign = factories.make_campaign(reviewers=2)
    reviewers = [city.reviewer, city.other_reviewer]
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW, reviewers=reviewers)
    for reviewer in reviewers:
        demo.score_like_union(assessment, reviewer)
    results = at_once(*[doing(assessment, Action.COMPLETE_REVIEW, r) for r in reviewers])
    assert all(isinstance(result, SelfAssessment) for result in results), results
    assessment.refresh_from_db()
    assert assessment.state == State.REVIEWED
    assert list(audit.verify()) == []


def test_the_last_completion_against_a_return(city):
    """Exactly one wins: it is reviewed, or the union mends it and the reviewers score on."""
    campaign = factories.make_campaign(reviewers=2)
    reviewers = [city.reviewer, city.other_reviewer]
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW, reviewers=reviewers)
    for reviewer in reviewers:
        demo.score_like_union(assessment, reviewer)
    perform(assessment, Action.COMPLETE_REVIEW, reviewers[0])
    remarks = {worksheet.load(assessment)[0].lines[0].indicator: "请补充。"}
    done = exactly_one(
        at_once(
            doing(assessment, Action.COMPLETE_REVIEW, reviewers[1]),
            doing(assessment, Action.RETURN, city.lead, remarks=remarks),
        )
    )
    assessment.refresh_from_db()
    reviewed = assessment.state == State.REVIEWED
    assert done.state == assessment.state
    assert Standing.objects.filter(self_assessment=assessment).exists() == reviewed
    assert assessment.reviews.filter(completed_at__isnull=False).count() == (2 if reviewed else 0)
    assert assessment.returns.count() == (0 if reviewed else 1)
    assert list(audit.verify()) == []


def test_two_arbitrating_the_same(city):
    campaign = factories.make_campaign(reviewers=2)
    reviewers = [city.reviewer, city.other_reviewer]
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW, reviewers=reviewers)
    for reviewer in reviewers:
        demo.score_like_union(assessment, reviewer)
    second = ReviewScore.objects.filter(review__reviewer=reviewers[1])
    second.filter(indicator__criterion__number=4).update(score=0, remark="没有材料。")
    for reviewer in reviewers:
        perform(assessment, Action.COMPLETE_REVIEW, reviewer)
    fresh = SelfAssessment.objects.with_context().get(pk=assessment.pk)
    lines = [line for section in worksheet.load(fresh) for line in section.lines]
    seen = arbitration.stamp(verdicts.verdict_of(fresh, lines), 4)
    results = at_once(
        *[
            lambda user=user: arbitration.arbitrate(
                assessment,
                4,
                reason="核实",
                settings=[],
                seen=seen,
                by=User.objects.get(pk=user.pk),
            )
            for user in (city.lead, city.admin)
        ]
    )
    assert sum(isinstance(one, arbitration.NotAllowed) for one in results) == 1, results
    assert assessment.arbitrations.get().lapsed_at is None
    assert list(audit.verify()) == []


def test_two_leads_assigning_never_exceed_the_number(city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    results = at_once(
        lambda: assigning.assign(assessment, city.reviewer, city.lead),
        lambda: assigning.assign(assessment, city.other_reviewer, city.admin),
    )
    assert assessment.reviews.count() == 1
    assert sum(isinstance(result, reviewing.NotAllowed) for result in results) == 1


def test_starting_together_makes_one(city, campaign):
    results = at_once(
        *[lambda: answering.start(campaign, city.own, User.objects.get(pk=city.head.pk))] * 4
    )
    assert len({result.pk for result in results}) == 1


def test_saving_one_answer_together_stores_one_and_tells_the_other(city, campaign):
    assessment = make_self_assessment(city, campaign, filled=False)
    line = worksheet.load(assessment)[0].lines[0]
    seen = answering.entry_of(line.answer).fingerprint

    def saving(score, user):
        texts = {"account": f"{score}", "not_applicable_reason": ""}
        change = answering.Change(line.indicator, Entry(Rating(score=Decimal(score)), texts), seen)
        return lambda: answering.save(assessment, [change], User.objects.get(pk=user.pk))

    first, second = at_once(saving(1, city.head), saving(2, city.reporter))
    assert sorted([first.stored, second.stored]) == [0, 1]
    assert sorted([len(first.conflicts), len(second.conflicts)]) == [0, 1]


def test_uploading_the_same_file_together_stores_it_once(city, campaign):
    mine = make_self_assessment(city, campaign, filled=False)
    theirs = make_self_assessment(
        city, campaign, organization=city.sibling, head=city.sibling_head, filled=False
    )

    def uploading(assessment, user):
        indicator = worksheet.load(assessment)[0].lines[0].indicator
        file = SimpleUploadedFile("同.pdf", demo.small_pdf("same"))
        by = User.objects.get(pk=user.pk)
        return lambda: evidence.attach(assessment, indicator, [file], by)

    results = at_once(
        uploading(mine, city.head),
        uploading(mine, city.reporter),
        uploading(theirs, city.sibling_head),
    )
    assert results == [[], [], []]
    assert (StoredFile.objects.count(), Evidence.objects.count()) == (1, 2)


def test_general_events_queue_up(city):
    at_once(*[lambda: _record(city)] * 6)
    assert list(audit.verify()) == []


def _record(city):
    with transaction.atomic():
        audit.record(action="X", by=city.admin)


def test_uploading_a_file_while_another_union_discards_the_same(city, campaign):
    mine = make_self_assessment(city, campaign, filled=False)
    theirs = make_self_assessment(
        city, campaign, organization=city.sibling, head=city.sibling_head, filled=False
    )
    indicator = worksheet.load(mine)[0].lines[0].indicator
    content = demo.small_pdf("same")
    head, other = User.objects.get(pk=city.head.pk), User.objects.get(pk=city.sibling_head.pk)
    for _ in range(5):
        evidence.attach(theirs, indicator, [SimpleUploadedFile("a.pdf", content)], other)
        file = Evidence.objects.get(organization=city.sibling)
        evidence.detach(theirs, indicator, file.pk, other)
        results = at_once(
            lambda file=file: library.delete(file, other),
            lambda: evidence.attach(mine, indicator, [SimpleUploadedFile("b.pdf", content)], head),
        )
        assert not [result for result in results if isinstance(result, Exception)], results
        kept = Evidence.objects.get(organization=city.own)
        assert kept.stored_file.file.open("rb").read() == content
        evidence.detach(mine, indicator, kept.pk, head)
        library.delete(kept, head)
        assert not StoredFile.objects.exists()


def test_two_administrators_naming_at_once(city, campaign):
    for union in (city.own, city.foreign, city.sibling):
        make_self_assessment(city, campaign, State.FINAL, organization=union)
    other = factories.make_user((city.city, Role.ADMIN))

    def naming(user):
        return lambda: recognition.award(
            campaign, factories.today(), User.objects.get(pk=user.pk), seen=3
        )

    results = at_once(naming(city.admin), naming(other))
    assert sum(isinstance(one, assigning.NotAllowed) for one in results) == 1, results
    assert list(Recognition.objects.values_list("number", flat=True)) == [1, 2, 3]
    assert list(audit.verify()) == []


def test_two_closing_the_publicity_together_make_each_result_final_once(city, campaign):
    both = [
        make_self_assessment(city, campaign, State.PUBLISHED, organization=one)
        for one in (city.own, city.foreign)
    ]
    factories.pass_publicity()
    results = at_once(publishing.close_due, publishing.close_due)
    assert sum(results) == 2, results
    assert (
        SelfAssessment.objects.filter(pk__in=[one.pk for one in both], state="FINAL").count() == 2
    )
    assert AuditEvent.objects.filter(action=Action.FINALISE).count() == 2
    assert list(audit.verify()) == []


def test_two_putting_the_same_result_into_force(city, campaign):
    published = make_self_assessment(city, campaign, State.PUBLISHED)
    factories.pass_publicity()
    other = factories.make_user((city.city, Role.ADMIN))
    done = exactly_one(
        at_once(*(doing(published, Action.FINALISE, user) for user in (city.admin, other)))
    )
    assert done.state == State.FINAL
    assert AuditEvent.objects.filter(action=Action.FINALISE).count() == 1


def test_an_appeal_that_is_accepted_while_the_publicity_closes(city, campaign):
    published = make_self_assessment(city, campaign, State.PUBLISHED)
    values = {"name": "张三", "contact": "13800000000", "text": "不符。"}
    result = published.published_results.get()
    appeal = appeals.file(result, AppealKind.OBJECTION, values, None, None)
    appeals.assign(appeal, city.lead, city.admin)
    factories.pass_publicity()
    results = at_once(
        lambda: appeals.answer(
            appeal, AppealState.ACCEPTED, "确有漏算。", User.objects.get(pk=city.lead.pk)
        ),
        publishing.close_due,
    )
    assert not [one for one in results if isinstance(one, Exception)], results
    published.refresh_from_db()
    assert published.state == State.UNDER_REVIEW
    assert list(audit.verify()) == []


def test_two_accepting_two_objections_to_one_result(city, campaign):
    published = make_self_assessment(city, campaign, State.PUBLISHED)
    values = {"name": "张三", "contact": "13800000000", "text": "不符。"}
    result = published.published_results.get()
    first, second = (
        appeals.file(result, AppealKind.OBJECTION, values, None, None) for _ in range(2)
    )
    appeals.assign(first, city.lead, city.admin)
    appeals.assign(second, city.admin, city.lead)

    def accepting(appeal, user):
        by = User.objects.get(pk=user.pk)
        return lambda: appeals.answer(appeal, AppealState.ACCEPTED, f"由{by}认定。", by)

    results = at_once(accepting(first, city.lead), accepting(second, city.admin))
    refused = [one for one in results if one is not None]
    assert [type(one) for one in refused] == [assigning.NotAllowed], results
    for appeal in (first, second):
        appeal.refresh_from_db()
        assert appeal.state == AppealState.ACCEPTED
    assert first.answer == second.answer
    published.refresh_from_db()
    assert published.state == State.UNDER_REVIEW
    assert list(audit.verify()) == []


@pytest.fixture
def drawn(city, campaign):
    """The list for the province with one union on it, confirmed by nobody."""
    final = make_self_assessment(city, campaign, State.FINAL)
    made = factories.make_recommendation(final, city.admin, city.lead).list
    recommending.reopen(made, "更正", city.admin, str(made.version))
    made.refresh_from_db()
    return made


def confirming(made, user):
    return lambda: (
        recommending.confirm(
            made, User.objects.get(pk=user.pk), seen=str(made.version)
        ).is_confirmed
    )


def test_a_list_is_confirmed_by_two_together_but_not_twice_by_one(city, drawn):
    results = at_once(confirming(drawn, city.admin), confirming(drawn, city.admin))
    assert sum(isinstance(one, assigning.NotAllowed) for one in results) == 1, results
    drawn.refresh_from_db()
    assert (drawn.first_by, drawn.second_by) == (city.admin, None)
    recommending.change(drawn.lines.get(), False, "更正", city.lead, str(drawn.version))
    drawn.refresh_from_db()
    recommending.change(drawn.lines.get(), True, "更正", city.lead, str(drawn.version))
    drawn.refresh_from_db()
    assert sorted(at_once(confirming(drawn, city.admin), confirming(drawn, city.lead))) == [0, 1]


def test_confirming_a_list_against_changing_it(city, drawn):
    line = drawn.lines.get()
    results = at_once(
        confirming(drawn, city.admin),
        lambda: recommending.change(
            line, False, "不宜推荐", User.objects.get(pk=city.lead.pk), str(drawn.version)
        ),
    )
    assert results[1] is None, results
    drawn.refresh_from_db()
    assert drawn.first_by is None  # nobody has confirmed what is now on it


def test_two_entering_the_first_figure_of_a_union(city, campaign):
    def entering(user, percent):
        return lambda: recommending.enter_goals(
            campaign, {city.own: Decimal(percent)}, {}, User.objects.get(pk=user.pk)
        )

    results = at_once(entering(city.admin, 100), entering(city.lead, 90))
    assert sum(isinstance(one, assigning.NotAllowed) for one in results) == 1, results
    assert campaign.goals.count() == 1


def test_two_answers_to_one_finding_of_the_supervision(city, campaign):
    made = factories.make_round(city.admin, campaign, city.own, members=[city.reviewer])
    visit = made.visits.get()
    finding = factories.make_finding(visit, city.reviewer)
    factories.feed_back(visit, city.reviewer)
    proofs = [SimpleUploadedFile(f"{n}.png", PNG + bytes([n])) for n in range(2)]
    results = at_once(
        *(
            lambda proof=proof: rectifying.answer(
                finding, "已整改。", [proof], User.objects.get(pk=city.head.pk)
            )
            for proof in proofs
        )
    )
    assert sorted(type(one) for one in results if one) == [assigning.NotAllowed], results
    answer = finding.rectifications.get()
    assert answer.files.count() == StoredFile.objects.filter(evidence=None).count() == 1
    results = at_once(
        lambda: rectifying.accept(
            finding, "好。", User.objects.get(pk=city.reviewer.pk), seen="ANSWERED-1"
        ),
        lambda: rectifying.send_back(
            finding,
            "补充。",
            factories.today(),
            User.objects.get(pk=city.admin.pk),
            seen="ANSWERED-1",
        ),
    )
    assert len([one for one in results if isinstance(one, assigning.NotAllowed)]) == 1, results
    assert list(audit.verify()) == []


def test_two_put_the_same_unions_on_a_plan(city, campaign):
    made = factories.make_round(city.admin, campaign, members=[city.reviewer], started=False)
    team, below = made.teams.get(), Organization.objects.subtree_of(city.county)
    results = at_once(
        *[lambda: planning.add_places(team, below, None, User.objects.get(pk=city.admin.pk))] * 3
    )
    assert sorted(one.added for one in results) == [0, 0, below.count()], results
    assert made.visits.count() == below.count()
