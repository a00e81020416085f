"""The departments that most houses begin with."""

from dataclasses import dataclass

from departments import actions
from departments.models import Department, User

#: The swatches of the palette, with the word that a screen reader says.
HUES = {"d-cs": "Blue", "d-pr": "Violet", "d-mk": "Pink", "d-hr": "Teal", "d-rd": "Green", "d-tr": "Grey"}


@dataclass(frozen=True)
class Preset:
    slug: str
    name: str
    about: str
    hue: str
    answer_within: int
    confidential: bool = False
    is_triage: bool = False


PRESETS = (
    Preset(
        "customer-service",
        "Customer service",
        "People who need help with what they bought: questions, complaints, refunds, something that does not work.",
        "d-cs",
        answer_within=120,
    ),
    Preset(
        "pr",
        "PR",
        "Journalists, politics, and whatever touches our name: criticism that spreads, crises, statements.",
        "d-pr",
        answer_within=60,
    ),
    Preset(
        "marketing",
        "Marketing",
        "Campaigns, people who may become customers, partners, praise that is worth sharing.",
        "d-mk",
        answer_within=480,
    ),
    Preset(
        "hr",
        "HR",
        "Applicants, and what present and former colleagues say about working here.",
        "d-hr",
        answer_within=1440,
        confidential=True,
    ),
    Preset(
        "rnd",
        "R&D",
        "Ideas, wishes and faults that the people who build our products should know.",
        "d-rd",
        answer_within=2880,
    ),
    Preset(
        "triage",
        "Triage",
        "What nobody owns yet: posts that routing was unsure of wait here until the coordinator places them.",
        "d-tr",
        answer_within=60,
        is_triage=True,
    ),
)


def found(preset: Preset, *, by: User | str, name: str = "") -> Department:
    """The preset's department, under another name if one is given; when it stands already, as it stands."""
    if there := Department.objects.filter(slug=preset.slug).first():
        return there
    return actions.found_department(
        name or preset.name,
        slug=preset.slug,
        about=preset.about,
        hue=preset.hue,
        answer_within=preset.answer_within,
        confidential=preset.confidential,
        is_triage=preset.is_triage,
        by=by,
    )


def found_all(*, by: User | str) -> dict[str, Department]:
    """Every preset department by its slug."""
    return {preset.slug: found(preset, by=by) for preset in PRESETS}
