"""Where a domain is made known to a service: its router, its tag, its layer."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from plinth.domain.names import Names

MAIN, PARTS, PROJECT = "src/app/main.py", "src/app/parts.py", "pyproject.toml"


@dataclass
class Registration:
    """The files that change, and what is left to do by hand because its place is not there."""

    files: dict[str, str] = field(default_factory=dict[str, str])
    by_hand: list[str] = field(default_factory=list[str])


def register(names: Names, texts: Mapping[str, str]) -> Registration:
    """Enter a domain in the files of a service; what is entered already stays as it is."""
    found = Registration()
    _router(names, texts, found)
    _tag(names, texts, found)
    _layer(names, texts, found)
    found.files = {path: text for path, text in found.files.items() if text != texts[path]}
    return found


def _router(names: Names, texts: Mapping[str, str], found: Registration) -> None:
    router = f"{names.plural}_router"
    name = f"from app.{names.plural}.router import router as {router}"
    call = f"app.include_router({router}, prefix=settings.api_prefix)"
    text = texts.get(MAIN, "")
    if any(f"app.{names.plural}.router import" in other for other in texts.values()):
        return
    # Behind the parts, and behind the domains that are registered there already.
    place = r"(?m)^( +)install_parts\(app, settings\)\n(?:\1app\.include_router\(.*\)\n)*"
    calls, imports = [*re.finditer(place, text)], [*re.finditer(r"(?m)^from app\..*\n", text)]
    if len(calls) != 1 or not imports:
        found.by_hand.append(f"register the router, where the application is built: {name}; {call}")
        return
    at = calls[0].end()
    text = f"{text[:at]}{calls[0][1]}{call}\n{text[at:]}"
    before = [line for line in imports if line[0] < name]
    at = before[-1].end() if before else imports[0].start()
    found.files[MAIN] = f"{text[:at]}{name}\n{text[at:]}"


def _tag(names: Names, texts: Mapping[str, str], found: Registration) -> None:
    """Describe the group of routes; the first releases have no place for that."""
    text = texts.get(PARTS, "")
    tag = {"name": names.path, "description": f"{names.many.capitalize()}."}
    if any(f'"name": "{names.path}"' in other for other in texts.values()):
        return
    if text.count("\nTAGS = [\n") == 1:
        # Before the parts' own, so that those of a release are merged behind it.
        line = f"    {json.dumps(tag)},\n"
        found.files[PARTS] = text.replace("\nTAGS = [\n", f"\nTAGS = [\n{line}")
    elif any("openapi_tags" in other for other in texts.values()):
        found.by_hand.append(f"describe the tag, where the others are: {json.dumps(tag)}")


def _layer(names: Names, texts: Mapping[str, str], found: Registration) -> None:
    """List the package above all other domains: a new one may import those that there are."""
    text = texts.get(PROJECT, "")
    if re.search(rf'"(app\.)?{names.plural}"', text):
        return
    # Earlier releases have no place for a service's own packages.
    parts = re.search(r'(?m)^ *"(app\.)?parts",\n', text)
    place = re.search(r"(?m)^ *# Packages of your own\.\n", text) or parts
    if not place or not parts:
        if "importlinter" in text:
            found.by_hand.append(
                f'list "{names.plural}" in the layers of import-linter in {PROJECT}, above the '
                "packages that it imports"
            )
        return
    layer = parts[0].replace("parts", names.plural)
    text = f"{text[: place.end()]}{layer}{text[place.end() :]}"
    # Before layers had containers, services were listed by their names.
    services = re.search(r'source_modules = \[\n( *)"app\.', text)
    if services:
        at = services.start(1)
        text = f'{text[:at]}{services[1]}"app.{names.plural}.service",\n{text[at:]}'
    found.files[PROJECT] = text
