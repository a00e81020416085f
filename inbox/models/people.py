"""The people outside."""

import uuid

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper

from inbox.querysets import ContactQuerySet


class Contact(models.Model):
    """The person behind one or several handles."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200, blank=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["name", "id"], name="contact_by_name")]

    def __str__(self):
        return self.name or "Somebody"


class Identity(models.Model):
    """A handle on one network."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    contact = models.ForeignKey(Contact, models.PROTECT, related_name="identities")
    network = models.CharField(max_length=20)
    external_id = models.CharField(max_length=200)
    handle = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=200, blank=True)
    # None where the network does not say, which is not zero.
    followers = models.PositiveIntegerField(null=True, blank=True)
    verified = models.BooleanField(default=False)
    avatar_url = models.CharField(max_length=2000, blank=True)

    class Meta:
        default_permissions = ()
        verbose_name_plural = "identities"
        constraints = [models.UniqueConstraint(fields=["network", "external_id"], name="identity_once")]
        # For people looked for by a part of their name or handle, in any case.
        indexes = [
            GinIndex(OpClass(Upper("name"), "gin_trgm_ops"), name="identity_name_parts"),
            GinIndex(OpClass(Upper("handle"), "gin_trgm_ops"), name="identity_handle_parts"),
        ]

    def __str__(self):
        return self.name or self.handle or "Somebody"
