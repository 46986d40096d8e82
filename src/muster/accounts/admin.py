# SPDX-License-Identifier: Apache-2.0
from django.contrib import admin

from muster.accounts.models import Device, Grant, User
from muster.storage.admin import LookOnly


@admin.register(User)
class UserAdmin(LookOnly):
    list_display = ("username", "name", "language", "is_active", "last_login")
    search_fields = ("username", "name")
    exclude = ("password",)


@admin.register(Grant)
class GrantAdmin(LookOnly):
    list_display = ("user", "role", "area_path", "grid", "valid_from", "valid_until")
    list_filter = ("role",)


@admin.register(Device)
class DeviceAdmin(LookOnly):
    list_display = ("name", "kind", "enrolled_at", "last_contact_at", "facts_seen", "revoked_at")
    list_filter = ("kind",)
