"""Who may change departments and people, and what comes of it."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, transaction

from departments import actions, presets
from departments.access import departments_for, may, may_appoint, people_of, rights
from departments.audit import sentence
from departments.models import AuditEntry, Department, User
from departments.roles import HouseRole, Role

pytestmark = pytest.mark.django_db


def again(person):
    """The person as the next request knows them."""
    return User.objects.get(pk=person.pk)


def last_sentence():
    return sentence(AuditEntry.objects.order_by("-id").first())


def test_ada_founds_a_department_and_its_people_can_work_in_it(ada, carl):
    legal = actions.found_department("Legal", about="Contracts", by=ada)
    actions.give_role(carl, legal, Role.AGENT, by=ada)
    assert last_sentence() == "Ada Brandt made Carl Okafor agent of Legal"
    assert may(again(carl), "work_queue", legal) and not may(again(carl), "lead_queue", legal)
    assert list(people_of(legal)) == [carl]


@pytest.mark.parametrize("name, slug", [("Customer service", ""), ("Other", "triage"), ("New", ""), ("人事", "")])
def test_a_department_needs_a_name_and_an_address_of_its_own(ada, name, slug):
    with pytest.raises(ValidationError):
        actions.found_department(name, slug=slug, by=ada)
    assert Department.objects.count() == len(presets.PRESETS)


def test_carla_can_not_found_change_or_close_a_department(carla, customer_service):
    for verb in (
        lambda: actions.found_department("Legal", by=carla),
        lambda: actions.change_department(customer_service, name="Ours", by=carla),
        lambda: actions.close_department(customer_service, by=carla),
    ):
        with pytest.raises(PermissionDenied):
            verb()
    assert set(Department.objects.open().values_list("name", flat=True)) == {preset.name for preset in presets.PRESETS}


def test_triage_can_not_be_closed(ada, triage):
    with pytest.raises(ValidationError, match="Triage stays open"):
        actions.close_department(triage, by=ada)


def test_a_department_that_is_still_needed_can_not_be_closed(ada, marketing, monkeypatch):
    monkeypatch.setattr(actions, "_objections", [lambda department: f"Three open items lie in {department}."])
    with pytest.raises(ValidationError, match="Three open items lie in Marketing."):
        actions.close_department(marketing, by=ada)
    assert Department.objects.open().contains(marketing)


def test_a_closed_department_leaves_everybodys_rail(ada, mara, cora, marketing, monkeypatch):
    monkeypatch.setattr(actions, "_objections", [])
    actions.close_department(marketing, by=ada)
    assert last_sentence() == "Ada Brandt closed Marketing"
    for person in (mara, cora, ada):
        assert marketing not in departments_for(again(person))


def test_ada_can_not_make_herself_hr(ada, hr):
    with pytest.raises(PermissionDenied, match="HR is confidential"):
        actions.give_role(ada, hr, Role.READER, by=ada)
    assert not may(again(ada), "view_queue", hr)


def test_ada_appoints_carl_to_hr_and_still_sees_nothing_of_it(ada, carl, hr):
    actions.give_role(carl, hr, Role.AGENT, by=ada)
    assert may(again(carl), "work_queue", hr)
    assert not may(again(ada), "view_queue", hr)


def test_ada_can_not_open_hr_by_making_it_ordinary(ada, hr):
    with pytest.raises(PermissionDenied, match="confidential"):
        actions.change_department(hr, confidential=False, by=ada)
    hr.refresh_from_db()
    assert hr.confidential


def test_ada_can_not_come_into_hanas_account_by_a_password_link(ada, hana):
    with pytest.raises(PermissionDenied, match="HR"):
        actions.allow_new_password(hana, by=ada)


def test_cora_coordinates_what_is_not_confidential_and_gives_no_role_in_hr(cora, carl, pr, hr):
    actions.give_role(carl, pr, Role.READER, by=cora)
    with pytest.raises(PermissionDenied):
        actions.give_role(carl, hr, Role.READER, by=cora)


def test_carla_gives_roles_in_her_own_department_alone(carla, mia, carl, customer_service, pr):
    actions.give_role(carl, customer_service, Role.LEAD, by=carla)
    with pytest.raises(PermissionDenied, match="Only an admin or a lead of PR"):
        actions.give_role(carl, pr, Role.READER, by=carla)
    assert may_appoint(again(carl), customer_service) and not may_appoint(mia, customer_service)


def test_a_new_role_replaces_the_old_one_and_the_same_again_is_nothing(ada, carla, customer_service):
    actions.give_role(carla, customer_service, Role.READER, by=ada)
    before = AuditEntry.objects.count()
    actions.give_role(carla, customer_service, Role.READER, by=ada)
    assert AuditEntry.objects.count() == before
    assert rights(again(carla)).roles == {customer_service.pk: Role.READER}


def test_a_changed_role_voids_what_was_known_of_the_person(ada, carl, customer_service):
    assert may(carl, "view_queue", customer_service)
    actions.take_role(carl, customer_service, by=ada)
    assert again(carl).permission_epoch == carl.permission_epoch + 1
    assert not may(carl, "view_queue", customer_service)


def test_making_a_department_confidential_voids_what_cora_and_ada_know(ada, cora, pr):
    assert may(cora, "work_queue", pr)
    actions.change_department(pr, confidential=True, by=ada)
    for person in (cora, ada):
        assert again(person).permission_epoch == person.permission_epoch + 1
        assert not may(again(person), "view_queue", pr)


def test_the_last_admin_stays(ada, cora):
    for verb in (
        lambda: actions.take_house_role(ada, HouseRole.ADMIN, by=ada),
        lambda: actions.deactivate(ada, by=ada),
    ):
        with pytest.raises(ValidationError, match="last admin"):
            verb()
    actions.give_house_role(cora, HouseRole.ADMIN, by=ada)
    actions.take_house_role(ada, HouseRole.ADMIN, by=cora)
    assert not rights(again(ada)).admin


def test_only_admins_let_people_in_and_out_of_the_house(cora, carl, stranger):
    for verb in (
        lambda: actions.invite("new", by=cora),
        lambda: actions.deactivate(stranger, by=cora),
        lambda: actions.reactivate(stranger, by=cora),
        lambda: actions.give_house_role(cora, HouseRole.ADMIN, by=cora),
        lambda: actions.take_house_role(carl, HouseRole.ADMIN, by=cora),
        lambda: actions.allow_new_password(carl, by=cora),
    ):
        with pytest.raises(PermissionDenied):
            verb()


def test_two_people_can_not_have_one_sign_in_name(ada):
    with pytest.raises(ValidationError):
        actions.invite("CARL", by=ada)


def test_people_set_their_own_things_and_nothing_else(carl):
    actions.change_self(name="Carl O.", time_zone="Europe/Lisbon", by=carl)
    assert (again(carl).name, again(carl).time_zone) == ("Carl O.", "Europe/Lisbon")
    with pytest.raises(TypeError):
        actions.change_self(is_active=False, by=carl)
    with pytest.raises(ValidationError):
        actions.change_self(theme="neon", by=carl)


def test_every_preset_department_says_what_belongs_there(house):
    assert all(len(each.about) > 40 for each in Department.objects.all())
    assert list(Department.objects.filter(confidential=True).values_list("slug", flat=True)) == ["hr"]
    assert presets.found_all(by="system").keys() == {preset.slug for preset in presets.PRESETS}
    assert Department.objects.count() == len(presets.PRESETS)


def test_nobody_rewrites_the_audit_not_even_by_hand(ada, carl, pr):
    actions.give_role(carl, pr, Role.READER, by=ada)
    mine = AuditEntry.objects.filter(by=ada)
    for rewrite in (lambda: mine.update(verb="signed_in"), mine.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            rewrite()
    assert mine.get().verb == "role_given"
