from typing import Any

def problem_response(
    description: str, examples: list[dict[str, Any]], component: str = "Problem"
) -> dict[str, Any]: ...
