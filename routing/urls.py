"""The addresses of the pages of rules."""

from django.urls import path

from routing.views import backtests, counting, rules, shadows, trying, versions, why

urlpatterns = [
    path("routing/", rules.rules, name="rules"),
    path("routing/try/", trying.try_rules, name="rules-try"),
    path("routing/why/<uuid:conversation>/", why.why, name="routing-grounds"),
    path("routing/own/<slug:department>/", rules.begin, name="rules-begin"),
    path("routing/<uuid:rule_set>/order/", rules.order, name="rules-order"),
    path("routing/<uuid:rule_set>/count/", counting.counted, name="rules-count"),
    path("routing/<uuid:rule_set>/drafts/", rules.begin_draft, name="rules-draft-begin"),
    path("routing/<uuid:rule_set>/drafts/<int:number>/", rules.draft, name="rules-draft"),
    path("routing/<uuid:rule_set>/rules/", rules.rule, name="rule-new"),
    path("routing/<uuid:rule_set>/rules/<slug:uid>/", rules.rule, name="rule"),
    path("routing/<uuid:rule_set>/rules/<slug:uid>/<slug:verb>/", rules.rule_verb, name="rule-verb"),
    path("routing/<uuid:rule_set>/versions/<int:number>/", versions.version, name="rules-version"),
    path("routing/<uuid:rule_set>/versions/<int:number>/restore/", versions.restore, name="rules-restore"),
    path("routing/<uuid:rule_set>/versions/<int:number>/rules.yaml", versions.export, name="rules-export"),
    path("routing/<uuid:rule_set>/versions/<int:number>/shadow/", shadows.shadow, name="rules-shadow"),
    path("routing/<uuid:rule_set>/versions/<int:number>/back-test/", backtests.begin, name="back-test-begin"),
    path("routing/<uuid:rule_set>/versions/<int:number>/do/<slug:verb>/", versions.verb, name="rules-version-verb"),
    path("routing/<uuid:rule_set>/versions/import/", versions.bring_in, name="rules-import"),
    path("routing/versions/", versions.versions, name="rules-versions"),
    path("routing/back-tests/<uuid:trial>/", backtests.back_test, name="back-test"),
    path("routing/back-tests/<uuid:trial>/cancel/", backtests.cancel, name="back-test-cancel"),
]
