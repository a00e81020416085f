"""Departments, people, oneself, the audit."""

from django.urls import path

from departments.views import audit, departments, own, people

urlpatterns = [
    path("departments/", departments.departments, name="departments"),
    path("departments/new/", departments.new, name="department-new"),
    path("departments/<slug:department>/", departments.department, name="department"),
    path("departments/<slug:department>/dismiss/", departments.dismiss, name="department-dismiss"),
    path("departments/<slug:department>/edit/", departments.edit, name="department-edit"),
    path("departments/<slug:department>/hours/", departments.hours, name="department-hours"),
    path("departments/<slug:department>/close/", departments.close, name="department-close"),
    path("people/", people.people, name="people"),
    path("people/invite/", people.invite, name="person-invite"),
    path("people/<uuid:person>/", people.person, name="person"),
    path("people/<uuid:person>/link/", people.link, name="person-link"),
    path("people/<uuid:person>/close/", people.close, name="person-close"),
    path("me/", own.me, name="me"),
    path("me/password/", own.password, name="me-password"),
    path("me/tokens/", own.make_token, name="token-make"),
    path("me/tokens/<uuid:token>/revoke/", own.revoke_token, name="token-revoke"),
    path("choose-password/<uidb64>/<token>/", own.choose_password, name="choose-password"),
    path("audit/", audit.audit, name="audit"),
]
