"""What README.md shows is run."""

import contextlib
import re
from pathlib import Path
from typing import Any

import pytest

from larder_client.testing import Larder

README = Path(__file__).parents[2] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    fields = [("Cache-Tag", "news")]
    if environ["PATH_INFO"] == "/account":
        fields += [("Vary", "Cookie"), ("Cache-Control", "max-age=60")]
    start_response("200 OK", fields)
    return [environ.get("HTTP_COOKIE", "").encode()]


def test_purging_and_tagging(larder: Any, capsys: pytest.CaptureFixture[str]) -> None:
    proxy = larder(application)
    proxy.client.ping()
    names: dict[str, Any] = {}
    exec(BLOCKS[0].replace("http://127.0.0.1:6082", proxy.admin), names)
    assert capsys.readouterr().out == "0\n"
    assert names["sender"].flush()
    assert len(proxy.client.purges()) == 2
    exec(BLOCKS[1], names)
    assert names["fields"]["Cache-Tag"] == "blog.article:1,blog.article:list,news"


def test_testing(larder_binary: str) -> None:
    names: dict[str, Any] = {"app": application}
    exec(BLOCKS[2], names)
    with contextlib.ExitStack() as stack:
        names["test_the_start_page"](
            lambda app, **config: stack.enter_context(Larder.start(app, **config))
        )
