"""Addresses of repositories: many spellings, one repository."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from plinth.template import repository_url

# As `scp` has it: user@host:path.
SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/@]{2,}):(?P<path>(?!//).+)")


def is_remote(address: str) -> bool:
    """Whether an address is fetched, and is not a folder of this machine."""
    return bool("://" in address or SCP.fullmatch(address) or address.startswith("git+"))


def normal(address: str) -> str:
    """Return the same text for each spelling of an address, without what is secret in it.

    `gh:acme/service`, `git@GitHub.com:acme/service.git` and `https://github.com/acme/service/`
    are `github.com/acme/service`. A path stays one.
    """
    url = repository_url(address.strip())
    if "://" in url:
        parts = urlsplit(url)
        if parts.scheme == "file":
            return str(Path(unquote(parts.path)).resolve())
        return _joined(parts.hostname or "", parts.path)
    if found := SCP.fullmatch(url):
        return _joined(found["host"], found["path"])
    return str(Path(url).expanduser().resolve())


def for_uv(url: str) -> str:
    """Return what `uvx --from` takes for what Git clones."""
    if found := SCP.fullmatch(url) if "://" not in url else None:
        user = url.partition("@")[0] if "@" in url else "git"
        return f"git+ssh://{user}@{found['host']}/{found['path']}"
    return f"git+{url}" if "://" in url and not url.startswith("file:") else url


def _joined(host: str, path: str) -> str:
    return f"{host.lower()}/{path.strip('/').removesuffix('.git').rstrip('/')}"
