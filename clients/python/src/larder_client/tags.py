"""How a tag is written.

One rule, for the tags that a page bears and for those that are purged:

- A tag is any text but the empty one. Letters, digits and the ASCII punctuation that no field
  gives a meaning stay; everything else (white space, `,` `;` `"` `\\` `%` `*`, control characters
  and what is not ASCII) is written as its UTF-8 bytes in percent-encoding: `new books` is
  `new%20books`.
- What is longer than 256 bytes then is written as `~` and 11 characters of its hash.
- With `hash_tags`, every tag is written as the 11 characters of its hash: shorter, and nobody
  who sees it learns what it is called.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from .options import Options

#: The longest tag on the wire, in bytes.
LONGEST = 256

# What `quote` leaves besides letters, digits and "_.-~".
_SAFE = "!#$&'()+/:<=>?@[]^`{|}"


def check_tag(tag: str) -> str:
    """The tag as it may go on the wire, not hashed.

    Raises ValueError for the empty tag, and TypeError for what is no string.

    >>> check_tag("shop.product:17"), check_tag("new books, café")
    ('shop.product:17', 'new%20books%2C%20caf%C3%A9')
    """
    if not isinstance(tag, str):
        raise TypeError(f"a tag is a string, not {tag!r:.80}")
    if not tag:
        raise ValueError("a tag has at least one character")
    return _encoded(tag) if len(tag) <= LONGEST else "~" + tag_hash(tag)


def wire_tag(tag: str, options: Options | None = None) -> str:
    """The tag as it goes on the wire: encoded, and hashed if `options.hash_tags` says so.

    Raises as `check_tag` does.
    """
    encoded = check_tag(tag)
    return tag_hash(tag) if options is not None and options.hash_tags else encoded


def tag_hash(tag: str) -> str:
    """11 characters of [A-Za-z0-9_-]: the 64 bits of the tag's BLAKE2b."""
    # What is long is not remembered: thousands of them would fill the memory.
    return _hashed(tag) if len(tag) <= LONGEST else _hashed.__wrapped__(tag)


@lru_cache(maxsize=4096)
def _hashed(tag: str) -> str:
    digest = blake2b(_bytes(tag), digest_size=8).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


@lru_cache(maxsize=4096)
def _encoded(tag: str) -> str:
    encoded = quote(_bytes(tag), safe=_SAFE)
    return encoded if len(encoded) <= LONGEST else "~" + tag_hash(tag)


def _bytes(tag: str) -> bytes:
    # A lone surrogate, as of a file name that is no UTF-8, is a tag too.
    return tag.encode("utf-8", "surrogatepass")
