// Stored responses, each with its head.

import { make, mark, terms } from "./dom.js";
import { bytes, count, left, many, span } from "./format.js";

const STATES = { fresh: "good", stale: "warning", "purged softly": "warning", "validated each time": "info" };

/** How a stored response stands, in a word with a shape. */
export function standing(state) {
  return mark(STATES[state] ?? "info", state);
}

/** Fields as they are sent, and never as anything but text. */
export function fieldList(fields) {
  return make("dl", { class: "head" }, fields.map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

/** One variant, under a heading of this kind; the number is its place among so many. */
export function variantView(heading, variant, number, of) {
  const { status, state, selected, age, ttl, hits, tags, groups, nominated, arithmetic, fields } = variant;
  const title = of > 1 ? `Variant ${number} of ${of}` : "The response";
  const facts = make("p", { class: "facts" },
    state ? standing(state) : null,
    selected === undefined ? null : mark(selected ? "good" : "info", selected ? "selected" : "not selected"),
    make("span", {}, `status ${status}`),
    make("span", {}, `${span(age)} old`),
    make("span", {}, ttl >= 0 ? left(ttl) : `stale ${left(ttl)}`),
    make("span", {}, many(hits, "hit")),
    variant.length === undefined ? null : make("span", {}, `memory ${bytes(variant.bytes)}`),
    make("span", {}, `body ${bytes(variant.length ?? variant.bytes)}`),
    variant.part ? make("span", {}, "a part") : null,
    variant.query ? make("span", {}, "answers a QUERY") : null);
  const details = terms("fixes", [
    ["Tags", tags?.join(", ")],
    ["Groups", groups?.join(", ")],
    ["Selected by", nominated?.join(", ")],
  ]);
  const sums = arithmetic?.length ? make("ul", { class: "steps" }, arithmetic.map((line) => make("li", {}, line))) : null;
  return make("div", { class: "variant" }, make(heading, {}, title), facts, details, sums, fieldList(fields));
}

/** How many more there are than are shown. */
export function more(number) {
  return number > 0 ? make("p", { class: "note" }, `and ${count(number)} more`) : null;
}
