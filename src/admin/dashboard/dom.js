// Elements, made of text: nothing here reads markup.

/** The element with this id. */
export function find(id) {
  return document.getElementById(id);
}

/** An element with attributes (functions are listeners) and children; strings are text. */
export function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** Writes a text, if it is another one. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Puts children in place of what is there. What is open (`data-key` on `details`) stays
 * open, and what has the focus keeps it.
 */
export function refill(element, ...children) {
  const open = new Set([...element.querySelectorAll("details[open]")].map((details) => details.dataset.key));
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  element.replaceChildren(...children.flat().filter(Boolean));
  for (const details of element.querySelectorAll("details")) details.open = open.has(details.dataset.key);
  if (focused === undefined) return;
  const again = [...element.querySelectorAll("[data-key]")].find((other) => other.dataset.key === focused);
  again?.focus();
}

/** A word with a shape: good, warning, bad, info. */
export function mark(state, text) {
  return make("span", { class: "mark", "data-state": state }, text);
}

/** A paragraph for where there is nothing yet. */
export function nothing(text) {
  return make("p", { class: "note" }, text);
}

/**
 * A table with a caption. A column has a `label`, a `cell` of a row, and perhaps a `kind`:
 * `number`, `word` (kept in one line) or `words` (broken between words); others are broken
 * anywhere. The first is the row's header. The roles stay when a narrow screen makes blocks of
 * rows. A `quiet` caption is for readers of screens: others have just read the same.
 */
export function table(caption, columns, rows, { quiet = false } = {}) {
  const heads = columns.map(({ label, kind }) =>
    make("th", { scope: "col", role: "columnheader", class: kind }, label));
  const body = rows.map((row) => make("tr", { role: "row" }, columns.map((column, at) => {
    const { kind } = column;
    if (at === 0) return make("th", { scope: "row", role: "rowheader", class: kind }, column.cell(row));
    return make("td", { role: "cell", class: kind, "data-label": column.label }, column.cell(row));
  })));
  return make("table", { role: "table" },
    make("caption", { class: quiet && "unseen" }, caption),
    make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, heads)),
    make("tbody", { role: "rowgroup" }, body));
}

/** Terms and what they mean, without those that mean nothing. */
export function terms(kind, pairs) {
  const given = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return make("dl", { class: kind }, given.map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}
