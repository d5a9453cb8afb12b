// The explain box: what would be done with a request, and why.

import { Problem, has, look } from "./api.js";
import { find, make, refill, terms } from "./dom.js";
import { span } from "./format.js";
import { variantView } from "./head.js";
import { advice, sentence } from "./markdown.js";

const form = () => find("explain-form");

/** Listens to the form. */
export function listen() {
  form().addEventListener("submit", (event) => {
    event.preventDefault();
    show();
  });
}

/** Explains this URL, as if it stood in the box. */
export function explain(url) {
  form().elements.url.value = url;
  find("explain").scrollIntoView();
  form().elements.url.focus({ preventScroll: true });
  show();
}

async function show() {
  const { url, fields } = form().elements;
  const given = new URLSearchParams({ url: url.value.trim() });
  for (const line of fields.value.split("\n")) if (line.trim()) given.append("header", line.trim());
  try {
    if (!(await has("/v1/explain"))) throw new Problem(404, "", "Explaining is not available in this larder.");
    render(await look(`/v1/explain?${given}`));
  } catch (error) {
    const problem = make("p", {}, error.message);
    refill(find("explained"), make("div", { class: "result", "data-state": "bad" }, problem));
  }
}

function render({ request, outcome, reason, steps, variants, browser, would }) {
  const parts = [make("p", { class: "headline" }, sentence(outcome.sentence))];
  if (reason) {
    const where = [reason.clause, reason.docs].filter(Boolean).join(", ");
    parts.push(make("p", {}, sentence(reason.sentence), " ", make("code", {}, reason.code)));
    if (where) parts.push(make("p", { class: "note" }, where));
    if (!would?.length) parts.push(advice("explained", reason.fix));
  }
  if (would?.length) parts.push(section("What would change it", make("div", { class: "changes" }, would.map(changes))));
  if (browser) {
    const fresh = browser.fresh_for > 0 ? ` Fresh there for ${span(browser.fresh_for)}.` : "";
    parts.push(section("In the visitor's browser", make("p", {}, sentence(browser.sentence), fresh)));
  }
  if (steps?.length) parts.push(section("Step by step", make("ol", { class: "steps" }, steps.map(step))));
  parts.push(section("The request as read", terms("fixes", [
    ["Asked", `${request.method} ${request.url}`],
    ["Key", make("code", {}, request.key)],
    ...request.left_out.map(({ what, why }) => ["Left out", `${what}: ${why}`]),
  ])));
  if (variants?.length) {
    const views = variants.map((variant, at) => variantView("h4", variant, at + 1, variants.length));
    parts.push(section("What is stored", views));
  }
  refill(find("explained"), make("div", { class: "result" }, parts));
}

function section(title, content) {
  return make("div", {}, make("h3", {}, title), content);
}

function changes({ code, sentence: text, ...fix }) {
  return make("div", {}, make("p", {}, sentence(text)), advice(`would ${code ?? text}`, fix));
}

function step({ question, answer, by }) {
  return make("li", {}, question, " ", make("strong", {}, answer), by ? make("div", { class: "by" }, by) : null);
}
