// Upstreams, what went wrong, and what was done with requests.

import { bar } from "./chart.js";
import { find, make, mark, nothing, refill, table } from "./dom.js";
import { count, percent } from "./format.js";

const OUTCOMES = {
  "uri-miss": "nothing was stored for the URL",
  "vary-miss": "only other variants were stored",
  miss: "what was stored would not do",
  stale: "what was stored was stale",
  request: "what is stored is not for this request",
  partial: "only a part was stored",
  method: "the method is not for a cache",
  bypass: "goes past the cache",
};

const last = new Map();

/** Calls `render` only if the value is another one than the last time. */
function once(name, value, render) {
  const text = JSON.stringify(value);
  if (last.get(name) === text) return;
  last.set(name, text);
  render(value);
}

/** One more document of /v1/stats. */
export function show(stats) {
  once("outcomes", stats.requests, outcomes);
  once("upstreams", stats.origin, upstreams);
  once("troubles", stats.troubles, troubles);
}

function outcomes({ hit, forwarded }) {
  const all = [["answered from the cache", hit],
    ...Object.entries(forwarded).map(([code, number]) => [OUTCOMES[code] ?? code, number])];
  const sum = all.reduce((total, [, number]) => total + number, 0);
  if (sum === 0) {
    refill(find("outcomes"), nothing("No requests yet."));
    return;
  }
  const rows = all.filter(([, number]) => number > 0).sort((one, other) => other[1] - one[1]);
  refill(find("outcomes"), make("dl", { class: "bars" }, rows.map(([name, number]) => [
    make("dt", {}, name),
    make("dd", { class: "bar" }, bar(number / sum)),
    make("dd", {}, `${count(number)}, ${percent(number / sum)}`),
  ])));
}

function upstreams({ upstreams: list, queued, held }) {
  const states = { well: "good", returning: "warning", ejected: "bad" };
  const rows = table("Upstreams", [
    { label: "Address", cell: ({ address }) => make("span", { class: "mono" }, address) },
    { label: "State", cell: ({ state }) => mark(states[state] ?? "info", state) },
    { label: "In flight", kind: "number", cell: (upstream) => count(upstream.in_flight) },
  ], list);
  const waiting = make("p", { class: "note" }, `Waiting: ${count(queued)} for a place, ${count(held)} for the app to come back.`);
  refill(find("upstreams"), rows, waiting);
}

function troubles(all) {
  const list = Object.entries(all).filter(([, number]) => number > 0).sort((one, other) => other[1] - one[1]);
  if (!list.length) {
    refill(find("troubles"), make("p", {}, mark("good", "Nothing has gone wrong")));
    return;
  }
  refill(find("troubles"), table("What went wrong or over a limit since the start", [
    { label: "Kind", cell: ([name]) => name.replaceAll("_", " ") },
    { label: "Times", kind: "number", cell: ([, number]) => count(number) },
  ], list));
}
