// The little of Markdown that advice is written in: paragraphs, lists, code.

import { make } from "./dom.js";

/** A line of text with `code` in it; of a link, its text. */
export function inline(text) {
  const plain = text.replaceAll(/\[([^\]]+)\]\([^)]*\)/g, "$1");
  return plain.split("`").map((part, at) => (at % 2 === 1 ? make("code", {}, part) : part));
}

/** The same as a sentence: with a capital at its beginning and a point at its end. */
export function sentence(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return inline(/[.!?:]$/.test(begun) ? begun : `${begun}.`);
}

/** Several paragraphs, lists and pieces of code. */
export function blocks(text) {
  const made = [];
  for (const [at, part] of text.split(/^```\w*\n?/m).entries()) {
    if (at % 2 === 1) made.push(make("pre", {}, make("code", {}, part.trimEnd())));
    else made.push(...part.split(/\n\s*\n/).filter((block) => block.trim()).map(block));
  }
  return made;
}

function block(text) {
  const items = text.trim().split(/^- /m);
  const joined = (item) => inline(item.trim().replaceAll(/\n\s*/g, " "));
  if (items.length === 1) return make("p", {}, joined(items[0]));
  const before = items[0].trim() ? make("p", {}, joined(items[0])) : null;
  const list = make("ul", {}, items.slice(1).map((item) => make("li", {}, joined(item))));
  return before ? make("div", {}, before, list) : list;
}

/** What to do about something: in any app, in Django, in Flask; none if nothing is known. */
export function advice(key, { any, django, flask } = {}) {
  const known = [["In any app", any], ["In Django", django], ["In Flask", flask]].filter(([, text]) => text);
  if (!known.length) return null;
  return make("details", { "data-key": key },
    make("summary", { "data-key": `${key} fix` }, "How to change it"),
    make("div", { class: "advice" }, known.map(([where, text]) =>
      make("div", {}, make("p", { class: "where" }, where), blocks(text)))));
}
