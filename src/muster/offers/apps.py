# SPDX-License-Identifier: Apache-2.0
from django.apps import AppConfig


class OffersConfig(AppConfig):
    name = "muster.offers"
    verbose_name = "Offers"
