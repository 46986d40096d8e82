# SPDX-License-Identifier: Apache-2.0
from django.apps import AppConfig


class RequestsConfig(AppConfig):
    name = "muster.requests"
    verbose_name = "Requests"
