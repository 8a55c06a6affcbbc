"""Generate the default service, run it on its embedded PostgreSQL, and walk it over HTTP.

Nothing is left running. The service stays in build/demo until the next demo, or for good in the
folder given with `--keep`.
"""

import argparse
import os
import secrets
import shlex
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx2

from plinth.harness.project import clean_environment
from plinth.harness.servers import free_port
from tools.server import Server, ServerError
from tools.walk import Walk, WalkError

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = REPOSITORY / "build" / "demo"


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


def main() -> int:
    """Run the demo and return the exit status."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", type=Path, help="generate into this new folder instead")
    keep: Path | None = parser.parse_args().keep
    try:
        demonstrate(prepare_folder(keep), started=time.monotonic())
    except (DemoError, ServerError, WalkError) as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: stopped; nothing is left running.", file=sys.stderr)
        return 130
    return 0


def demonstrate(folder: Path, started: float) -> None:
    """Do everything, one paragraph of output after the other."""
    environment = clean_environment()
    print(f"1. Generate the default service into {folder}")
    generate(folder)
    files = sum(path.is_file() for path in folder.rglob("*"))
    print(f"   {files} files")
    print("2. Install what it needs: uv sync")
    install(folder, environment)
    print("3. Start it on its embedded PostgreSQL: make run")
    with Server(folder, free_port(), environment) as server:
        seconds = server.wait_until_ready()
        print(f"   ready after {seconds:.1f} s on {server.url}")
        print("4. Walk it over HTTP")
        with httpx2.Client(base_url=server.url, timeout=10) as client:
            requests = Walk(client, password=secrets.token_urlsafe(16)).run()
    print("5. Stopped, and nothing is left running.\n")
    print("To make a service of your own, answer a few questions:")
    print("\n".join(f"   {line}" for line in next_commands()), end="\n\n")
    duration = time.monotonic() - started
    print(
        f"demo: {files} files, {requests} requests, 0 unexpected, "
        f"ready after {seconds:.1f} s, {duration:.0f} s in all"
    )


def next_commands() -> list[str]:
    """Return what makes a service and starts it, on a machine that has no uv of its own too."""
    commands = [f"uvx copier copy {shlex.quote(str(REPOSITORY))} my-service", "cd my-service"]
    own = REPOSITORY / ".tools" / "bin"
    if shutil.which("uvx") == str(own / "uvx"):
        commands.insert(0, f'export PATH={shlex.quote(str(own))}:"$PATH"   # uv is only there')
    return [*commands, "make run"]


def prepare_folder(keep: Path | None) -> Path:
    """Return an empty folder: the demo's own, or the user's, which is never cleared."""
    if keep is None:
        shutil.rmtree(FOLDER, ignore_errors=True)
        return FOLDER
    if keep.exists():
        raise DemoError(f"{keep} exists already; name a folder that does not.")
    return keep.resolve()


def generate(folder: Path) -> None:
    """Copy the template of this checkout, uncommitted changes included."""
    copier = [sys.executable, "-m", "copier", "copy", "--defaults", "--quiet", "--vcs-ref", "HEAD"]
    # Copier warns of uncommitted changes; here they are the point.
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([*copier, str(REPOSITORY), str(folder)], env=quiet, check=False)
    if done.returncode:
        raise DemoError(f"the template did not render, see above (status {done.returncode}).")


def install(folder: Path, environment: dict[str, str]) -> None:
    """Install the service's packages; show what uv does, but not its list of every one of them."""
    try:
        uv = subprocess.Popen(
            ["uv", "sync"], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
        )
    except FileNotFoundError as error:
        raise DemoError("uv is not installed; start the demo by `make demo`.") from error
    with uv:
        for line in uv.stderr or ():
            if not line.startswith(" + "):
                print(f"   {line.rstrip()}")
    if uv.returncode:
        raise DemoError(f"`uv sync` ended with status {uv.returncode}, see above.")


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        sys.exit(main())
