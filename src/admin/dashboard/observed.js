// Why pages miss, what is odd about answers, and which pages cost most.

import { Problem, has, look } from "./api.js";
import { find, make, mark, nothing, refill, say, table } from "./dom.js";
import { count, many, rate, span } from "./format.js";
import { explain } from "./explain.js";
import { advice, sentence } from "./markdown.js";

const WORDS = { bad: "Bad", warning: "Warning", info: "Worth knowing" };

/** Pages that are shown. */
const MOST = 10;

let shown = "";

/** Looks, and shows it if it is anything new. */
export async function show() {
  let observed;
  try {
    observed = (await has("/v1/observed")) ? await look("/v1/observed") : null;
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 404) throw error;
    observed = null;
  }
  const text = JSON.stringify(observed);
  if (text === shown) return;
  shown = text;
  if (observed === null) {
    say(find("observed-note"), "");
    for (const id of ["reasons", "finding-list", "page-list"]) refill(find(id), nothing("Not available in this larder."));
    return;
  }
  say(find("observed-note"), `In the last ${span(observed.seconds)}.`);
  reasons(observed.reasons);
  findings(observed.findings);
  pages(observed.pages);
}

function about(code, docs) {
  return make("p", { class: "note" }, make("code", {}, code), docs ? ` in ${docs}` : null);
}

function example(text) {
  return text ? make("p", { class: "example" }, "For example ", make("code", {}, text)) : null;
}

function reasons(list) {
  if (!list.length) {
    refill(find("reasons"), nothing("Nothing has missed lately."));
    return;
  }
  refill(find("reasons"), make("ol", { class: "items" }, list.map((reason) => make("li", {},
    make("div", {}, make("p", { class: "title" }, sentence(reason.sentence)), about(reason.code, reason.docs)),
    make("div", { class: "cost" }, make("strong", {}, span(reason.origin_seconds)), make("span", { class: "note" }, `origin time, ${many(reason.requests, "request")}`)),
    example(reason.example),
    advice(`reason ${reason.code}`, reason.fix)))));
}

function findings(list) {
  if (!list.length) {
    refill(find("finding-list"), nothing("Nothing odd has been seen lately."));
    return;
  }
  refill(find("finding-list"), make("ul", { class: "items" }, list.map((finding) => make("li", {},
    make("div", {}, make("p", {}, mark(finding.severity, WORDS[finding.severity] ?? finding.severity)),
      make("p", { class: "title" }, sentence(finding.sentence)), about(finding.rule, "docs/lint.md")),
    make("div", { class: "cost" }, make("strong", {}, `${rate(finding.origin_requests_a_second)}/s`), make("span", { class: "note" }, `to the origin, seen ${many(finding.seen, "time")}`)),
    example(finding.example),
    advice(`finding ${finding.rule}`, finding.fix)))));
}

function pages(list) {
  if (!list.length) {
    refill(find("page-list"), nothing("No page has cost the origin anything lately."));
    return;
  }
  refill(find("page-list"), table("The pages that the app spent most time on.", [
    { label: "URL", cell: ({ url }) => make("button", { class: "link", type: "button", "data-key": `page ${url}`, "aria-label": `Explain ${url}`, click: () => explain(url) }, url) },
    { label: "Requests", kind: "number", cell: ({ requests }) => count(requests) },
    { label: "To the origin", kind: "number", cell: (page) => count(page.origin_requests) },
    { label: "Origin time", kind: "number", cell: (page) => span(page.origin_seconds) },
  ], list.slice(0, MOST)));
}
