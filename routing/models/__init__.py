"""What routing keeps, a room for each subject."""

from routing.models.assigning import Assignment, AssignmentPolicy, Capacity, LoadChange
from routing.models.backtests import BackTest
from routing.models.copies import Fingerprint
from routing.models.decisions import Decision
from routing.models.learning import (
    Correction,
    DepartmentExample,
    HeldOut,
    LearningMark,
    RoutingModel,
    SuggestedRule,
    ThresholdOverride,
)
from routing.models.lists import AuthorList, Campaign
from routing.models.scores import Embedding, MessageScores
from routing.models.versions import BrokenRule, RuleSet, RuleSetVersion

__all__ = [
    "Assignment",
    "AssignmentPolicy",
    "AuthorList",
    "BackTest",
    "BrokenRule",
    "Campaign",
    "Capacity",
    "Correction",
    "Decision",
    "DepartmentExample",
    "Embedding",
    "Fingerprint",
    "HeldOut",
    "LearningMark",
    "LoadChange",
    "MessageScores",
    "RoutingModel",
    "RuleSet",
    "RuleSetVersion",
    "SuggestedRule",
    "ThresholdOverride",
]
