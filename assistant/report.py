"""placeholder"""
from typing import Any
def write_report(path: Any, *args: Any) -> None:
    path.write_text("")
