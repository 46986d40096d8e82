# SPDX-License-Identifier: Apache-2.0
from django.contrib import admin

from muster.campaigns.models import Campaign, CampaignKind, Certificate, Round
from muster.storage.admin import LookOnly


@admin.register(CampaignKind)
class CampaignKindAdmin(LookOnly):
    list_display = ("key", "version", "made_at")


@admin.register(Campaign)
class CampaignAdmin(LookOnly):
    list_display = ("name", "kind", "made_at")


@admin.register(Round)
class RoundAdmin(LookOnly):
    list_display = ("name", "campaign", "number", "status", "opened_at", "closed_at")
    list_filter = ("status",)


@admin.register(Certificate)
class CertificateAdmin(LookOnly):
    list_display = ("round", "grid", "signed_name", "signed_at", "withdrawn_at")
