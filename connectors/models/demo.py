"""The demo network's own tables. It is a network in its own right that happens to stand in our database: nothing but
`connectors.demo` reads or writes them, and tests count in them what outsiders would see."""

from django.db import models
from django.utils import timezone


class DemoNetwork(models.Model):
    """The network itself: one row, whose lock puts all changes into one order, so that no reader ever passes one
    over."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    opened_at = models.DateTimeField(default=timezone.now)
    last_change = models.PositiveBigIntegerField(default=0)
    # How many events of the company's story were told.
    told = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return "The demo network"


class DemoPerson(models.Model):
    """Somebody on the demo network: a person outside, or one of the company's own accounts (`is_house`)."""

    id = models.BigAutoField(primary_key=True)
    handle = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=80)
    followers = models.PositiveIntegerField(null=True, blank=True)
    verified = models.BooleanField(default=False)
    lang = models.CharField(max_length=8, default="en")
    is_house = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return self.name


class DemoPost(models.Model):
    """What somebody wrote there. `change` grows with every change to any post, and is what readers page by."""

    id = models.BigAutoField(primary_key=True)
    author = models.ForeignKey(DemoPerson, models.CASCADE, related_name="posts")
    # The company's account that it is addressed to or was written as; none: people among themselves.
    account = models.ForeignKey(DemoPerson, models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=10)
    direction = models.CharField(max_length=3, default="in")
    text = models.TextField(blank=True)
    title = models.CharField(max_length=200, blank=True)
    lang = models.CharField(max_length=8, blank=True)
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    visibility = models.CharField(max_length=12, default="public")
    in_reply_to = models.ForeignKey("self", models.CASCADE, null=True, related_name="replies")
    root = models.ForeignKey("self", models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    # What the company did to it.
    hidden_at = models.DateTimeField(null=True, blank=True)
    liked_at = models.DateTimeField(null=True, blank=True)
    # What our side called its attempt. Not unique: this network happily takes the same reply twice.
    client_key = models.CharField(max_length=64, blank=True, db_index=True)
    # The story's own name for the post.
    label = models.CharField(max_length=40, blank=True, db_index=True)
    change = models.PositiveBigIntegerField(unique=True)

    class Meta:
        default_permissions = ()
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["-created_at", "-id"], name="demo_newest")]

    def __str__(self):
        return f"{self.author.handle}: {self.text[:60]}"


class DemoClient(models.Model):
    """Somebody who reads the network (one of our channels) and for whom it is kept lively: when the next post comes."""

    slug = models.SlugField(max_length=50, primary_key=True)
    beat = models.PositiveBigIntegerField(default=0)
    next_post_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return self.slug
