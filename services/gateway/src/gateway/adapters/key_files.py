"""Signing keys: PEM files in one directory that all replicas share.

Every `*.pem` verifies and is published; the last by name signs. To rotate, add a file with a later name, restart, and
remove the old one when its tokens have ended. An empty directory gets its first key; replicas that start at once agree
on it.
"""

import hmac
import os
import secrets
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from common.errors import ConfigurationError

FIRST_KEY = "es256-0001.pem"
CURVE = "P-256"


def load_keys(directory: Path) -> list[ECKey]:
    """All keys, the signing one last. Raises ConfigurationError with one line."""
    try:
        paths = sorted(directory.glob("*.pem")) or [_generate(directory)]
        return [_read(path) for path in paths]
    except OSError as error:
        raise ConfigurationError(
            f"JWT_KEYS_DIR: cannot use {error.filename or directory} ({error.strerror}); give a directory to write to"
        ) from None


def cursor_key(keys: Sequence[ECKey]) -> bytes:
    """A secret for cursors that all replicas derive alike; cursors do not outlive a rotation."""
    secret = keys[-1].as_dict(private=True)["d"]
    return hmac.new(str(secret).encode(), b"clearfacts cursors v1", sha256).digest()


def _read(path: Path) -> ECKey:
    try:
        key = ECKey.import_key(path.read_bytes())
        if key.is_private and key.curve_name == CURVE:
            return key
    except (JoseError, ValueError, TypeError):
        pass
    raise ConfigurationError(f"JWT_KEYS_DIR: {path.name} is not a private P-256 key in PEM form; replace or remove it")


def _generate(directory: Path) -> Path:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    final = directory / FIRST_KEY
    draft = directory / f".{FIRST_KEY}.{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(ECKey.generate_key(CURVE).as_pem(private=True))
            file.flush()
            os.fsync(file.fileno())
        final.hardlink_to(draft)  # whole or not at all, and only the first replica succeeds
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return final
