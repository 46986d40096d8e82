# SPDX-License-Identifier: Apache-2.0
from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "muster.campaigns"
    verbose_name = "Campaigns"
