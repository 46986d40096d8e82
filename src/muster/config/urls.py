# SPDX-License-Identifier: Apache-2.0
"""Every address of the web process."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from muster.api import open311, pages, placed, sheets
from muster.api.resident import asking, giving, helping, homing, relatives, tracking
from muster.api.site import api, sync_api

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", pages.healthz),
    path("readyz", pages.readyz),
    path(".well-known/muster.json", pages.well_known),
    path("api/v1/", api.urls),
    path("sync/v1/", sync_api.urls),
    re_path(r"^intake/(?P<path>.*)$", csrf_exempt(pages.to_intake)),
    path("admin/", admin.site.urls),
    re_path(r"^(?P<app>field|desk|command|welcome)/(?P<path>.*)$", pages.app_page),
    path("open311/v2/", include([re_path(route, view) for route, view in open311.ROUTES])),
    path("", asking.home),
    path("ask", asking.ask),
    path("send.js", asking.send_script),
    re_path(r"^s/(?P<code>[0-9A-Za-z-]{8,12})(?:/(?P<line>[0-9]{1,5}))?/?$", sheets.to_sheet),
    path("track", tracking.find),
    path("track/<str:code>", tracking.track),
    path("relative", relatives.relative),
    path("offer", giving.offer),
    path("offer/find", giving.find),
    path("offer/<str:code>", giving.mine),
    path("calendar/<str:secret>.ics", placed.calendar),
    path("help", helping.check_in),
    path("help/find", helping.find),
    path("help/map", homing.map_of),
    path("help/map.js", homing.script),
    path("help/<str:code>", helping.mine),
    path("help/<str:code>/change", helping.change),
]
handler404 = "muster.api.problems.not_found"
handler500 = "muster.api.problems.house_fault"
