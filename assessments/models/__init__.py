from assessments.models.campaign import Campaign, Extension, TierPolicy, Veto
from assessments.models.decision import Decision, DecisionCriterion
from assessments.models.evidence import Evidence, PartialUpload, StoredFile
from assessments.models.review import (
    Endorsement,
    Recusal,
    Return,
    ReturnRemark,
    Review,
    ReviewScore,
)
from assessments.models.rubric import Criterion, Indicator, Rubric
from assessments.models.self_assessment import (
    Answer,
    Attachment,
    Revision,
    RevisionEvidence,
    SelfAssessment,
)

__all__ = [
    "Answer",
    "Attachment",
    "Campaign",
    "Criterion",
    "Decision",
    "DecisionCriterion",
    "Endorsement",
    "Evidence",
    "Extension",
    "Indicator",
    "PartialUpload",
    "Recusal",
    "Return",
    "ReturnRemark",
    "Review",
    "ReviewScore",
    "Revision",
    "RevisionEvidence",
    "Rubric",
    "SelfAssessment",
    "StoredFile",
    "TierPolicy",
    "Veto",
]
