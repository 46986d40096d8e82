# SPDX-License-Identifier: Apache-2.0
from django.apps import AppConfig


class RegisterConfig(AppConfig):
    name = "muster.register"
    verbose_name = "Register"
