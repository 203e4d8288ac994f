from assessments.models.campaign import Campaign, Extension, ExtensionRequest, TierPolicy, Veto
from assessments.models.decision import Adjustment, Decision, DecisionCriterion, DecisionScore
from assessments.models.evidence import Evidence, PartialUpload, StoredFile
from assessments.models.guide import SeenGuide
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
from assessments.models.similarity import Band, Similarity, Trace
from assessments.models.survey import Survey, SurveyPass

__all__ = [
    "Adjustment",
    "Answer",
    "Attachment",
    "Band",
    "Campaign",
    "Criterion",
    "Decision",
    "DecisionCriterion",
    "DecisionScore",
    "Endorsement",
    "Evidence",
    "Extension",
    "ExtensionRequest",
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
    "SeenGuide",
    "SelfAssessment",
    "Similarity",
    "StoredFile",
    "Survey",
    "SurveyPass",
    "TierPolicy",
    "Trace",
    "Veto",
]
