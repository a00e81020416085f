"""The addresses of the pages of rules."""

from django.urls import path

from routing import views

urlpatterns = [
    path("routing/", views.rules, name="rules"),
    path("routing/try/", views.try_rules, name="rules-try"),
    path("routing/own/<slug:department>/", views.begin, name="rules-begin"),
    path("routing/<uuid:rule_set>/rules/", views.rule, name="rule-new"),
    path("routing/<uuid:rule_set>/rules/<slug:uid>/", views.rule, name="rule"),
    path("routing/<uuid:rule_set>/rules/<slug:uid>/<slug:verb>/", views.rule_verb, name="rule-verb"),
    path("routing/<uuid:rule_set>/versions/<int:number>/", views.version, name="rules-version"),
    path("routing/<uuid:rule_set>/versions/<int:number>/restore/", views.restore, name="rules-restore"),
]
