# SPDX-License-Identifier: Apache-2.0
"""Files around a site: its certificate, packs of one's own, and the settings that its house starts with."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from muster.base.errors import Refusal
from muster.cli.local_ca import make_local_ca
from muster.intake.durable import write_file
from muster.sync.models import HomeCity
from muster.sync.site.preparing import Tls

MOST_PACK_BYTES = 4 << 20


def tls_for(
    host: str, *, ours: Path | None, cert: Path | None, key: Path | None, authority: Path | None
) -> Tls:
    """What the operator gives; else, where our certificate is our own local authority's, a new one of it.

    ours: the folder of our own certificate, None where we speak plain http.
    Raises Refusal("site_tls_pair", "file_missing").
    """
    if bool(cert) != bool(key):
        raise Refusal("site_tls_pair")
    for path in (cert, key, authority):
        if path is not None and not path.is_file():
            raise Refusal("file_missing", path=str(path))
    if cert and key:
        return Tls(cert.read_text(), key.read_text(), authority.read_text() if authority else "")
    if ours is None or not (ours / "ca.key").is_file():
        return Tls(authority=authority.read_text() if authority else "")
    with tempfile.TemporaryDirectory() as name:
        for file in ("ca.key", "ca.pem"):
            shutil.copy(ours / file, Path(name) / file)
        made = make_local_ca(Path(name), hosts=[host])
        return Tls(made.certificate.read_text(), made.key.read_text(), made.authority.read_text())


def own_packs(data: Path, pack: str) -> dict[str, str]:
    """The files of a pack that does not come with Muster: NAME/FILE.toml -> text."""
    folder = data / "packs" / pack
    files = sorted(folder.glob("*.toml")) if folder.is_dir() else []
    if sum(file.stat().st_size for file in files) > MOST_PACK_BYTES:
        raise Refusal("pack_too_large", file=str(folder))
    return {f"{pack}/{file.name}": file.read_text(encoding="utf-8") for file in files}


def write_environment(data: Path, home: HomeCity) -> Path:
    """The lines that make `muster serve` answer under the city's own name."""
    web, intake = urlsplit(home.web), urlsplit(home.intake)
    told = {
        "MUSTER_DATA": str(data),
        "MUSTER_HOST": web.hostname or "localhost",
        "MUSTER_PORT": str(web.port or (443 if web.scheme == "https" else 80)),
        "MUSTER_INTAKE_PORT": str(intake.port or (443 if intake.scheme == "https" else 80)),
    }
    if (data / "tls" / "cert.pem").is_file():
        told["MUSTER_TLS_CERT"] = str(data / "tls" / "cert.pem")
        told["MUSTER_TLS_KEY"] = str(data / "tls" / "key.pem")
    file = data / "site.env"
    write_file(file, "".join(f'{name}="{value}"\n' for name, value in told.items()).encode())
    return file
