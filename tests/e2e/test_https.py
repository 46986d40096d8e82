# SPDX-License-Identifier: Apache-2.0
"""https on an address that is not loopback: only there a browser treats us as it will in the field."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from playwright.sync_api import Browser, Playwright, expect

from tests.support.browser import chromium_path, launch, missing, phone
from tests.support.field import SENDS_MS, FieldPhone
from tests.support.house import House, until
from tests.support.isolated import Network, network, why_not

pytestmark = [pytest.mark.browser]
ADDRESS = "10.77.0.1"


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    reason = why_not()
    if "root" in reason:
        pytest.skip(reason)
    if reason:
        missing(reason)
    with network(ADDRESS) as made:
        yield made


@pytest.fixture(scope="module")
def house(
    net: Network, staged: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    house = House.of(staged("generated"), tmp_path_factory.mktemp("house") / "https")
    house.host, house.prefix = ADDRESS, net.prefix
    house.muster("tls", "init", "--host", ADDRESS)
    tls = house.folder / "tls"
    house.more = {"MUSTER_TLS_CERT": str(tls / "cert.pem"), "MUSTER_TLS_KEY": str(tls / "key.pem")}
    house.authority = tls / "ca.pem"
    with net.entered():
        house.start()
    yield house
    house.stop()


def key_hash(certificate: Path) -> str:
    """The key's hash, by which a browser can be told to trust this one certificate and no other."""
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    told = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(told).digest()).decode()


@pytest.fixture
def trusting(playwright: Playwright, net: Network, house: House, tmp_path: Path) -> Iterator[Browser]:
    hashes = ",".join(key_hash(house.folder / "tls" / name) for name in ("cert.pem", "ca.pem"))
    program = net.launcher(chromium_path(), tmp_path)
    browser = launch(playwright, f"--ignore-certificate-errors-spki-list={hashes}", program=program)
    yield browser
    browser.close()


def test_a_phone_works_over_https_on_a_real_address(net: Network, house: House, trusting: Browser) -> None:
    grid = house.demo["logins"]["grid_head"]["grid"]
    device = phone(trusting, "zh")
    worker = FieldPhone(device.page(), "zh")
    page = worker.page
    worker.enrol(house.worker_url)
    assert page.url.startswith(f"https://{ADDRESS}:")
    assert page.evaluate("window.isSecureContext")
    worker.is_offline_ready()
    with worker.door(worker.untouched.first) as sheet:
        tried = worker.nobody_answers(sheet)
    worker.expect_sent()
    worker.go("me")
    expect(worker.counts().nth(2)).to_have_text(str(tried), timeout=SENDS_MS)
    with net.entered():
        until(
            lambda: house.coverage(grid=grid)["outcomes"].get("NO_ANSWER", 0) == tried,
            what="the ledger counts the door",
        )

    # The plug is pulled: the page still opens, from the phone itself.
    device.deaf = True
    house.cut()
    page.reload()
    expect(worker.counts().nth(2)).to_have_text(str(tried))
    device.close()


def test_plain_http_is_not_answered_on_that_address(net: Network, house: House) -> None:
    """Without a certificate the house stays on loopback, where nobody else can read along."""
    house.more, house.authority = {}, None
    with net.entered():
        house.start(wait=False)
        house.host = "127.0.0.1"
        until(house.is_ready, what="the house answers on loopback", seconds=90)
        house.host = ADDRESS
        assert not house.is_ready()


def test_the_books_are_in_order_afterwards(house: House) -> None:
    house.verify()
