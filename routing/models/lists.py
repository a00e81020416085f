"""What rules may refer to by name: lists of people, and campaigns."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from routing.querysets import AuthorListQuerySet, NamedByRulesQuerySet


class AuthorList(models.Model):
    """People outside, by handle or the network's id: journalists, important customers."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=80)
    # Folded, without the @; "x:handle" for one network alone.
    handles = ArrayField(models.CharField(max_length=220), default=list)

    objects = AuthorListQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["name"]

    def __str__(self):
        return self.name


class Campaign(models.Model):
    """What we are saying at the moment: its hashtags and links, and when it runs."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=80)
    hashtags = ArrayField(models.CharField(max_length=100), default=list)
    links = ArrayField(models.CharField(max_length=300), default=list)
    begins_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)

    objects = NamedByRulesQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["name"]

    def __str__(self):
        return self.name
