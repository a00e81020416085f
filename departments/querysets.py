"""Named selections of people, departments and what they did."""

from django.contrib.auth.models import UserManager
from django.db import models


class UserQuerySet(models.QuerySet):
    def active(self):
        return self.filter(is_active=True)

    @classmethod
    def as_manager(cls):
        # Django's own manager knows how to create people with hashed passwords.
        manager = UserManager.from_queryset(cls)()
        manager._built_with_asmanager = True
        return manager


class DepartmentQuerySet(models.QuerySet):
    def open(self):
        return self.filter(closed_at=None)

    def triage(self):
        """The coordinator's own department, where everything lies that routing was unsure of."""
        return self.get(is_triage=True)


class AuditQuerySet(models.QuerySet):
    def about(self, conversation_id):
        return self.filter(conversation_id=conversation_id).order_by("id")

    def of_the_house(self):
        """What was done to settings, people, channels and rules rather than to a conversation."""
        return self.filter(conversation_id=None)
