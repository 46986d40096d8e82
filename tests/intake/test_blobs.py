# SPDX-License-Identifier: Apache-2.0
import hashlib
import os
import uuid

import pytest

from muster.base.crypto import KeyDestroyed
from muster.base.errors import Refusal
from muster.intake import limits
from muster.intake.blobs import BlobStore, blob_path, read_blob

PHOTO = b"\x89PNG canary " + os.urandom(2000)
NAME = hashlib.sha256(PHOTO).hexdigest()


@pytest.fixture
def device(house):
    return house.device()


def put(knock, device, name=NAME, body=PHOTO, **more):
    return knock("PUT", f"/v1/blobs/{name}", body, {"authorization": f"Bearer {device.lease}"} | more)


def test_a_blob_is_kept_and_found_by_its_hash(knock, house, device):
    reply = put(knock, device)

    assert (reply.status, reply.json) == (200, {"v": 1, "sha256": NAME, "size": len(PHOTO)})
    assert read_blob(house.data, house.keystore, house.incident, NAME) == PHOTO
    assert read_blob(house.data, house.keystore, uuid.uuid4(), NAME) is None
    assert put(knock, device).status == 200


def test_its_file_does_not_show_it(knock, house, device):
    put(knock, device)

    path = blob_path(house.data, house.incident, NAME)
    assert b"canary" not in path.read_bytes()
    assert [other.name for other in path.parent.iterdir()] == [NAME]


def test_it_ends_with_its_incident(knock, house, device):
    put(knock, device)
    house.keystore.destroy(purpose=f"journal:{house.incident}")

    with pytest.raises(KeyDestroyed):
        read_blob(house.data, house.keystore, house.incident, NAME)
    other = os.urandom(10)
    reply = put(knock, device, hashlib.sha256(other).hexdigest(), other)
    assert (reply.status, reply.json["code"]) == (410, "incident_destroyed")


@pytest.mark.parametrize(
    ("code", "status", "change"),
    [
        ("blob_differs", 400, {"body": PHOTO + b"x"}),
        ("blob_name_bad", 400, {"name": "../../etc/passwd"}),
        ("blob_name_bad", 400, {"name": NAME.upper()}),
        ("blob_name_bad", 400, {"name": ""}),
        ("blob_too_large", 413, {"body": bytes(limits.BLOB_BYTES + 1)}),
        ("lease_missing", 401, {"authorization": ""}),
    ],
)
def test_what_is_not_right_is_refused_and_leaves_nothing(knock, house, device, code, status, change):
    reply = put(knock, device, **change)

    assert (reply.status, reply.json["code"]) == (status, code)
    assert not (house.data / "blobs").exists()


def test_the_largest_blob_is_taken(knock, house, device):
    body = bytes(limits.BLOB_BYTES)
    name = hashlib.sha256(body).hexdigest()

    assert put(knock, device, name, body).status == 200
    assert read_blob(house.data, house.keystore, house.incident, name) == body


def test_blobs_stand_behind_facts(house):
    store = BlobStore(house.data, house.keystore)

    store.admit(busy=0.5)
    with pytest.raises(Refusal, match="intake_busy"):
        store.admit(busy=0.51)
    store._waiting = limits.BLOBS_WAITING
    with pytest.raises(Refusal, match="intake_busy"):
        store.admit(busy=0)
    store.close()
