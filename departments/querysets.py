"""Named selections of people, departments and what they did."""

from datetime import datetime, time, timedelta
from uuid import UUID

from django.contrib.auth.models import UserManager
from django.db import models

from departments import statements


class UserQuerySet(models.QuerySet):
    def active(self):
        return self.filter(is_active=True)

    def admins(self):
        """People who can configure the house now."""
        return self.active().filter(groups__name="house:admins")


class People(UserManager.from_queryset(UserQuerySet)):
    """Django's manager knows how to create people with hashed passwords; ours how to select them."""

    use_in_migrations = False

    def get(self, *args, **named):
        """By id alone, as every request asks for its person, in a statement that is written once."""
        if args or named.keys() != {"pk"}:
            return super().get(*args, **named)
        given = {_SOMEBODY: self.model._meta.pk.to_python(named["pk"])}
        found = statements.objects("person", lambda: self.filter(pk=_SOMEBODY), given)
        if not found:
            raise self.model.DoesNotExist
        return found[0]


#: What stands in that statement in place of the id.
_SOMEBODY = UUID(int=0)


class DepartmentQuerySet(models.QuerySet):
    def open(self):
        return self.filter(closed_at=None)

    def triage(self):
        """The coordinator's own department, where everything lies that routing was unsure of."""
        return self.get(is_triage=True)


class AuditQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Auditors read every entry. Admins and coordinators read what was done to the house, and nothing that
        belongs to a conversation, because they may not learn that a confidential one exists. Others read none."""
        from departments.access import rights  # access asks the models, which ask for these querysets

        held = rights(user)
        if held.auditor:
            return self.all()
        return self.of_the_house() if held.admin or held.coordinator else self.none()

    def about(self, conversation_id):
        return self.filter(conversation_id=conversation_id).order_by("id")

    def on(self, day, zone):
        """What was done on this day, by the clock of this zone."""
        begin = datetime.combine(day, time.min, tzinfo=zone)
        end = datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone)
        return self.filter(at__gte=begin, at__lt=end)

    def of_the_house(self):
        """What was done to settings, people, channels and rules rather than to a conversation."""
        return self.filter(conversation_id=None)
