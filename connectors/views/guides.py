"""How to get a network's credentials, from docs/networks."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET

from connectors import guides
from departments.decorators import admins_only


@require_GET
@admins_only
def guide(request: HttpRequest, network: str = guides.INDEX) -> HttpResponse:
    """The page of this network, or the one about all of them."""
    to = reverse("channel-guide", args=["_"]).replace("_", "{}")
    html = guides.page(network, request.build_absolute_uri("/"), to)
    if html is None:
        raise Http404
    return render(request, "connectors/guide.html", {"network": network, "html": mark_safe(html)})  # nh3 cleaned it
