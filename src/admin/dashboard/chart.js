// Small charts of the last minutes. A reader of screens is told what they show.

import { draw, make } from "./dom.js";

const WIDTH = 600;
const HEIGHT = 100;

function path(points, most, window) {
  return points.map(([ago, value], at) => {
    const x = (WIDTH * (1 - ago / window)).toFixed(1);
    const y = (HEIGHT * (1 - Math.min(value / most, 1))).toFixed(1);
    return `${at === 0 ? "M" : "L"}${x} ${y}`;
  }).join("");
}

/**
 * Lines of `[seconds ago, value]` over so many seconds, each with its kind; the area below the
 * first is filled.
 */
function lines(series, most, window, says) {
  const [{ points }] = series;
  const shapes = [draw("line", { class: "base", x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT })];
  if (points.length > 1) {
    const [first, last] = [points[0][0], points.at(-1)[0]].map((ago) => WIDTH * (1 - ago / window));
    const area = `${path(points, most, window)}L${last.toFixed(1)} ${HEIGHT}L${first.toFixed(1)} ${HEIGHT}Z`;
    shapes.push(draw("path", { class: "area", d: area }));
  }
  for (const { kind, points: own } of series.toReversed()) {
    if (own.length > 1) shapes.push(draw("path", { class: `line ${kind}`, d: path(own, most, window) }));
  }
  const frame = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", ...says };
  return draw("svg", frame, shapes);
}

/** The next number above that is easy to read. */
export function ceiling(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}

/** A chart with its scale. */
export function chart(node, series, window, label, unit) {
  const most = ceiling(Math.max(0, ...series.flatMap(({ points }) => points.map(([, value]) => value))));
  const scale = make("span", { class: "most note", "aria-hidden": "true" }, unit(most));
  node.replaceChildren(scale, lines(series, most, window, { role: "img", "aria-label": label }));
}

/** A line beside a figure, which says the same; none until there are two points. */
export function spark(node, points, window) {
  if (points.length < 2) return;
  const most = Math.max(...points.map(([, value]) => value)) || 1;
  node.replaceChildren(lines([{ kind: "accent", points }], most * 1.1, window, { "aria-hidden": "true" }));
}

/** A bar, from 0 to 1. */
export function bar(part) {
  const width = Math.max(0, Math.min(part, 1)) * 100;
  return draw("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    draw("rect", { class: "track", width: 100, height: 10 }),
    draw("rect", { class: "fill", width: width.toFixed(2), height: 10 }));
}
