"""What the service uses of rfc9457, with the types that the package leaves open."""

from typing import Any

def problem_response(
    description: str, examples: list[dict[str, Any]], component: str = "Problem"
) -> dict[str, Any]: ...
