// The list of what is stored, and one response with its head.

import { look } from "./api.js";
import { find, make, nothing, refill, say, table } from "./dom.js";
import { explain } from "./explain.js";
import { bytes, count, left, span } from "./format.js";
import { more, standing, variantView } from "./head.js";
import { suggest } from "./purge.js";

/** How many are shown: more when that is asked for. */
const STEPS = [20, 50, 200];
const form = () => find("stored-form");

let asked = 0;
let limit = STEPS[0];

/** Listens to the form. */
export function listen() {
  form().addEventListener("submit", (event) => {
    event.preventDefault();
    limit = STEPS[0];
    show();
  });
  for (const name of ["sort", "order"]) form().elements[name].addEventListener("change", show);
  find("detail-close").addEventListener("click", () => find("detail").close());
}

/** Looks for what the form asks for. */
export async function show() {
  asked += 1;
  const own = asked;
  const given = new URLSearchParams(new FormData(form()));
  given.set("limit", limit);
  try {
    const { matched, stored } = await look(`/v1/stored?${given}`);
    if (own === asked) list(matched, stored);
  } catch (error) {
    if (own === asked) say(find("stored-note"), error.message);
  }
}

function list(matched, rows) {
  const searched = form().elements.search.value || form().elements.tag.value;
  if (matched === 0) {
    say(find("stored-note"), searched ? "Nothing stored is like this." : "Nothing is stored yet.");
    refill(find("stored-list"));
    return;
  }
  const { sort, order } = form().elements;
  const chosen = order.value === "desc" ? "the most" : "the least";
  const cut = matched > rows.length ? `the ${count(rows.length)} with ${chosen} ${sort.value} of ` : "";
  say(find("stored-note"), `${cut}${count(matched)} ${matched === 1 ? "URL" : "URLs"}`);
  refill(find("stored-list"), table("Stored URLs", [
    { label: "URL", cell: urlCell },
    { label: "State", cell: ({ state }) => standing(state) },
    { label: "Variants", kind: "number", cell: ({ variants }) => count(variants) },
    { label: "Memory", kind: "number", cell: (row) => bytes(row.bytes) },
    { label: "Age", kind: "number", cell: ({ age }) => span(age) },
    { label: "Fresh", kind: "number", cell: ({ ttl }) => (ttl >= 0 ? left(ttl) : `stale ${left(ttl)}`) },
    { label: "Hits", kind: "number", cell: ({ hits }) => count(hits) },
  ], rows, { quiet: true }), further(matched));
}

function further(matched) {
  const next = STEPS.find((step) => step > limit);
  if (matched <= limit || next === undefined) return null;
  const enlarge = () => {
    limit = next;
    show();
  };
  const label = `Show ${count(Math.min(next, matched))}`;
  return make("div", { class: "buttons" }, make("button", { type: "button", class: "second", "data-key": "further", click: enlarge }, label));
}

function urlCell({ url, status, tags, more_tags: others }) {
  const open = { class: "link", type: "button", "data-key": `stored ${url}`, click: () => detail(url) };
  const all = [...tags, ...(others > 0 ? [`and ${count(others)} more`] : [])].join(", ");
  return [
    make("button", open, url),
    status === 200 ? null : make("span", { class: "tags" }, ` status ${status}`),
    all ? make("div", { class: "tags" }, `tags: ${all}`) : null,
  ];
}

async function detail(url) {
  const body = find("detail-body");
  say(find("detail-title"), url);
  refill(body, nothing("Looking ..."));
  find("detail").showModal();
  const leaveFor = (act) => () => {
    find("detail").close();
    act(url);
  };
  const buttons = make("div", { class: "buttons" },
    make("button", { type: "button", class: "second", click: leaveFor(explain) }, "Explain this URL"),
    make("button", { type: "button", class: "second", click: leaveFor(suggest) }, "Purge this URL ..."));
  try {
    const one = await look(`/v1/stored/one?${new URLSearchParams({ url })}`);
    const views = one.variants.map((variant, at) => variantView("h3", variant, at + 1, one.variants.length));
    refill(body, views, more(one.more_variants), buttons);
  } catch (error) {
    refill(body, make("p", {}, error.message), buttons);
  }
}
