# SPDX-License-Identifier: Apache-2.0
from django.contrib import admin

from muster.places.models import Area, Grid, GridPost
from muster.storage.admin import LookOnly


@admin.register(Area)
class AreaAdmin(LookOnly):
    list_display = ("code", "name", "name_en", "level", "parent")
    list_filter = ("level",)
    search_fields = ("code", "name", "name_en")


@admin.register(Grid)
class GridAdmin(LookOnly):
    list_display = ("code", "name", "level", "status", "area", "revision")
    list_filter = ("level", "status")
    search_fields = ("code", "name")


@admin.register(GridPost)
class GridPostAdmin(LookOnly):
    list_display = ("grid", "type", "title", "holder_name", "since", "until")
    list_filter = ("type",)
