"""A flame graph as SVG: a frame is as wide as what it and those on top of it took. The legend says
what each crate's own code took."""

from html import escape

WIDTH, ROW, MARGIN, LETTER = 1200, 17, 10, 6.6
# Frames that take less of the whole are left out.
LEAST = 0.002
COLOURS = {
    "larder": "#f4a259",
    "hyper": "#8cb369",
    "tokio": "#7fb7be",
    "libc": "#c9c9c9",
}
OTHERS = "#e6d690"


def draw(title, root, shares, short, crate):
    drawn, depth = [], deepest(root, root[0])
    height = MARGIN * 2 + ROW * (depth + 3)
    frames(drawn, root, 0.0, 0, root[0], height - MARGIN - ROW, short, crate)
    words = [f'<text x="{MARGIN}" y="{MARGIN + 12}" font-size="15">{escape(title)}</text>']
    others = sum(share for name, share in shares.items() if name not in COLOURS)
    for number, (name, colour) in enumerate([*COLOURS.items(), ("others", OTHERS)]):
        x, y = MARGIN + number * 120, MARGIN + ROW + 6
        share = others if name == "others" else shares.get(name, 0)
        words.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="{colour}"/>')
        words.append(f'<text x="{x + 17}" y="{y + 10}">{name} {share:.0%}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" font-family="monospace" font-size="11">\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n'
        + "\n".join(words + drawn)
        + "\n</svg>\n"
    )


def deepest(node, whole):
    shown = [above for above in node[1].values() if above[0] >= whole * LEAST]
    return 1 + max((deepest(above, whole) for above in shown), default=0)


def frames(drawn, node, x, level, whole, ground, short, crate):
    """The frames on top of `node`, which begins at `x` instructions."""
    for name, above in sorted(node[1].items()):
        if above[0] >= whole * LEAST:
            drawn.append(frame(name, above[0], x, level, whole, ground, short, crate))
            frames(drawn, above, x, level + 1, whole, ground, short, crate)
        x += above[0]


def frame(name, cost, x, level, whole, ground, short, crate):
    scale = (WIDTH - 2 * MARGIN) / whole
    left, wide, top = MARGIN + x * scale, cost * scale, ground - level * ROW
    colour = COLOURS.get(crate(name), OTHERS)
    label, letters = short(name), int((wide - 4) / LETTER)
    text = label if len(label) <= letters else label[: letters - 1] + "…" if letters > 3 else ""
    tip = escape(f"{name[:120]}: {cost:,.0f}, {cost / whole:.1%}")
    return (
        f'<g><title>{tip}</title><rect x="{left:.1f}" y="{top}" width="{max(wide - 0.5, 0.3):.1f}" '
        f'height="{ROW - 1}" fill="{colour}"/>'
        + (f'<text x="{left + 2:.1f}" y="{top + 12}">{escape(text)}</text>' if text else "")
        + "</g>"
    )
