# SPDX-License-Identifier: Apache-2.0
from django.apps import AppConfig


class SheetsConfig(AppConfig):
    name = "muster.sheets"
    verbose_name = "Sheets"
