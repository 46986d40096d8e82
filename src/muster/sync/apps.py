# SPDX-License-Identifier: Apache-2.0
from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "muster.sync"
    verbose_name = "Sync"
