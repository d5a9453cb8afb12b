"""The invariant of tags and purges over random lives of a tree (`site_lives`)."""

from __future__ import annotations

import pytest
from wagtail_site import Site


@pytest.mark.parametrize("seed", range(2))
def test_what_was_shown_is_purged_or_still_so(site: Site, seed: int) -> None:
    try:
        (hits, met) = site.shell(f"""
            from site_lives import Life

            life = Life(section("lives-{seed}"), {seed})
            life.run(15)
            said += [life.hits, life.met]
        """)
    finally:
        # Nobody has told larder of all this.
        site.shell("from larder_client.django import purge; purge(everything=True)")
    # Neither is everything purged each time, nor nothing.
    assert hits > met > 40
