# SPDX-License-Identifier: Apache-2.0
"""The front door as it is served: over a socket, by granian, with TLS."""

import contextlib
import datetime as dt
import http.client
import socket
import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from muster.intake import limits
from tests.intake.house import Door, ask_over


@pytest.fixture
def door(house):
    opened = Door(house.data, MUSTER_WEB_ORIGIN="https://muster.example")
    opened.start()
    yield opened
    opened.kill()


def test_a_connection_serves_many_batches(door, house):
    device = house.device()
    with contextlib.closing(door.connection()) as connection:
        for _ in range(20):
            _, body = device.batch(2)
            reply = ask_over(connection, "POST", "/v1/batches", body, device.headers(body))
            assert reply.status == 200


def test_a_body_in_chunks_is_taken_and_bounded(door, house):
    device = house.device()
    _, body = device.batch(50)
    with contextlib.closing(door.connection()) as connection:
        connection.request("POST", "/v1/batches", iter([body[:99], body[99:]]), device.headers(body))
        assert connection.getresponse().status == 200

    with contextlib.closing(door.connection()) as connection:
        try:
            connection.request("POST", "/v1/batches", (b" " * 65536 for _ in range(64)), device.headers(body))
        except OSError:
            return  # the door hung up on the rest
        assert connection.getresponse().status == 413


def test_a_body_too_large_is_answered_not_cut_off(door, house):
    device = house.device()
    body = b" " * (limits.BODY_BYTES + 1)

    assert door.ask("POST", "/v1/batches", body, device.headers(body)).status == 413


def test_devices_that_hang_up_cost_nothing(door, house):
    device = house.device()
    _, body = device.batch()
    head = "".join(f"{name}: {value}\r\n" for name, value in device.headers(body).items())
    request = f"POST /v1/batches HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n{head}\r\n".encode()
    for cut in (10, len(request), len(request) + len(body) // 2, len(request) + len(body)):
        with socket.create_connection(("127.0.0.1", door.port)) as raw:
            raw.sendall((request + body)[:cut])

    assert door.ask("POST", "/v1/batches", body, device.headers(body)).status == 200
    assert door.ask("GET", "/readyz").json["queue"] == 0


def test_the_page_of_another_origin_may_ask_first(door):
    reply = door.ask("OPTIONS", "/v1/batches", headers={"origin": "https://muster.example"})

    assert reply.status == 204
    assert reply.headers["access-control-allow-origin"] == "https://muster.example"


def test_a_second_door_on_the_same_data_has_a_stream_of_its_own(door, house):
    other = Door(house.data)
    other.start()
    try:
        assert {door.ask("GET", "/readyz").json["writer"], other.ask("GET", "/readyz").json["writer"]} == {
            1,
            2,
        }
    finally:
        other.kill()


def test_it_speaks_tls(house, tmp_path):
    cert, key = _certificate(tmp_path)
    door = Door(house.data, MUSTER_TLS_CERT=str(cert), MUSTER_TLS_KEY=str(key))
    trust = ssl.create_default_context(cafile=str(cert))
    door.connection = lambda: http.client.HTTPSConnection("localhost", door.port, timeout=20, context=trust)
    door.start()
    try:
        device = house.device()
        _, body = device.batch()
        assert door.ask("POST", "/v1/batches", body, device.headers(body)).status == 200
    finally:
        door.kill()


def test_a_wrong_secret_stops_the_start(house):
    house.settings().secret_file.write_bytes(bytes(32))
    door = Door(house.data)

    with pytest.raises(AssertionError, match="did not open"):
        door.start()


def _certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.fromtimestamp(time.time(), dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return cert_file, key_file
