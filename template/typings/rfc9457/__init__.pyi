"""What the service uses of rfc9457, with the types that the package leaves open."""

from collections.abc import Mapping
from typing import Any, ClassVar

class Problem(Exception):
    title: str
    detail: str | None
    status: int
    headers: Mapping[str, str] | None

    def __init__(
        self,
        title: str,
        type_: str | None = None,
        detail: str | None = None,
        status: int = 500,
        headers: Mapping[str, str] | None = None,
        **kwargs: object,
    ) -> None: ...
    def marshal(self, *, uri: str = "", strict: bool = False) -> dict[str, Any]: ...

class StatusProblem(Problem):
    type_: str | None
    title: str
    status: int
    headers_: ClassVar[dict[str, str]]

    def __init__(
        self,
        detail: str | None = None,
        headers: Mapping[str, str] | None = None,
        **kwargs: object,
    ) -> None: ...
