"""Where a page stands in the tree, as tags.

Wagtail keeps the tree as materialised paths: four characters for each level, so that
`000100020005` is a child of `00010002`. A query for pages mostly says which part of the tree it
asks about, and only pages in that part can change what it finds. So a listing is tagged with the
part, and whoever changes a page forgets the parts that the page is in:

    wagtail.children:PATH         the children of the page at PATH
    wagtail.child:PATH:SLUG       the one child of this slug, or that there is none
    wagtail.below:PATH            all pages below PATH, and that at PATH itself
    wagtail.at:PATH               the page at PATH, if it is one that was asked for
    wagtail.translations:KEY      the translations of one page
    wagtail.order:PATH            paths below PATH may mean other pages: somebody moved one there

Everything here works on strings; nothing asks the database.
"""

from __future__ import annotations

STEP = 4  # characters of a path for each level: `steplen` of Wagtail's tree


def parent_of(path: str) -> str:
    """The path of the parent; empty for the root."""
    return path[:-STEP]


def above(path: str) -> list[str]:
    """The paths of all ancestors, the root first, without `path` itself."""
    return [path[:end] for end in range(STEP, len(path), STEP)]


def children_tag(path: str) -> str:
    return f"wagtail.children:{path}"


def child_tag(path: str, slug: str) -> str:
    # Some databases find a slug whatever its case.
    return f"wagtail.child:{path}:{slug.casefold()}"


def below_tag(path: str) -> str:
    return f"wagtail.below:{path}"


def at_tag(path: str) -> str:
    return f"wagtail.at:{path}"


def order_tag(path: str) -> str:
    return f"wagtail.order:{path}"


def translations_tag(key: object) -> str:
    return f"wagtail.translations:{key}"


def standing(path: str) -> set[str]:
    """What has to stay as it is for `path` to mean the same page: for whoever asked by it."""
    return {order_tag(ancestor) for ancestor in above(path)}


def touched(path: str, slug: str, translation_key: object) -> set[str]:
    """What may find the page at `path`: for whoever changes it."""
    parent = parent_of(path)
    tags = {children_tag(parent), child_tag(parent, slug), translations_tag(translation_key)}
    tags.add(at_tag(path))
    tags.update(below_tag(ancestor) for ancestor in [*above(path), path])
    return tags


def shuffled(parent: str) -> set[str]:
    """What changes when a page is moved into, out of or among the children of `parent`."""
    tags = {children_tag(parent), order_tag(parent)}
    tags.update(below_tag(ancestor) for ancestor in [*above(parent), parent])
    return tags
