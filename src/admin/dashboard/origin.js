// Upstreams, what the app answered, what went wrong, and what was done with requests.

import { bar } from "./chart.js";
import { find, make, mark, nothing, refill, table } from "./dom.js";
import { count, many, percent, span } from "./format.js";
import { history } from "./history.js";

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

/** From so many answers of 5xx on, if they are so large a part of all, the app is not well. */
const MANY = 5;
const GOOD_PART = 0.01;
/** Seconds that are looked at, and fewer than which say nothing. */
const LATELY = 300;
const LITTLE = 60;

const last = new Map();

/** Calls `render` only if the value is another one than the last time. */
function once(name, value, render) {
  const text = JSON.stringify(value);
  if (last.get(name) === text) return;
  last.set(name, text);
  render(value);
}

/** One more document of /v1/stats, which the history has. */
export function show(stats) {
  const said = answeredBadly();
  once("outcomes", stats.requests, outcomes);
  once("upstreams", { ...stats.origin, isErring: said?.state === "bad" }, upstreams);
  once("answers", { answers: stats.origin.answers, state: said?.state }, answers);
  once("troubles", { all: stats.troubles, said }, troubles);
}

/**
 * What there is to say of answers of 5xx: how bad it is, in words and in figures; nothing if
 * there were none. As long as the page has seen little, all since the start counts.
 */
function answeredBadly() {
  const { now, seen } = history;
  if (!now.errors) return undefined;
  const isMuch = (part, all) => part >= MANY && part / all >= GOOD_PART;
  const note = (part, all, time) => `${count(part)} of ${many(all, "answer")} ${time}.`;
  const [part, all] = ["errors", "answers"].map((name) => history.grown(name, LATELY).by);
  if (isMuch(part, all)) {
    const time = `in the last ${span(Math.max(1, Math.round(Math.min(seen, LATELY))))}`;
    return { state: "bad", text: "The app answers with 5xx", note: note(part, all, time) };
  }
  const state = seen < LITTLE && isMuch(now.errors, now.answers) ? "bad" : "warning";
  return { state, text: "The app has answered with 5xx", note: note(now.errors, now.answers, "since the start") };
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

function upstreams({ upstreams: list, queued, held, isErring }) {
  const states = { well: "good", returning: "warning", ejected: "bad" };
  // larder's own word for one that can be reached: here that is all the good to be said of it.
  const standing = (state) => (isErring && state === "well"
    ? mark("warning", "answers with 5xx") : mark(states[state] ?? "info", state));
  const rows = table("Upstreams", [
    { label: "Address", cell: ({ address }) => make("span", { class: "mono" }, address) },
    { label: "State", cell: ({ state }) => standing(state) },
    { label: "In flight", kind: "number", cell: (upstream) => count(upstream.in_flight) },
  ], list);
  const waiting = make("p", { class: "note" }, `Waiting: ${count(queued)} for a place, ${count(held)} for the app to come back.`);
  refill(find("upstreams"), rows, waiting);
}

function answers({ answers: classes, state }) {
  const list = Object.entries(classes).filter(([, number]) => number > 0);
  const sum = list.reduce((total, [, number]) => total + number, 0);
  refill(find("answers"), list.length ? table("What the app has answered since the start", [
    { label: "Status", cell: ([name]) => (name === "5xx" ? mark(state, name) : name) },
    { label: "Answers", kind: "number", cell: ([, number]) => count(number) },
    { label: "Share", kind: "number", cell: ([, number]) => percent(number / sum) },
  ], list) : null);
}

function troubles({ all, said }) {
  const list = Object.entries(all).filter(([, number]) => number > 0).sort((one, other) => other[1] - one[1]);
  const errors = said ? [make("p", {}, mark(said.state, said.text)), nothing(said.note)] : [];
  if (!list.length && !said) {
    refill(find("troubles"), make("p", {}, mark("good", "Nothing has gone wrong")));
    return;
  }
  refill(find("troubles"), errors, list.length ? table("What went wrong or over a limit since the start", [
    { label: "Kind", cell: ([name]) => name.replaceAll("_", " ") },
    { label: "Times", kind: "number", cell: ([, number]) => count(number) },
  ], list) : null);
}
