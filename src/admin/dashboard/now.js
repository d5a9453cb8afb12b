// The figures of the moment.

import { bar, chart, spark } from "./chart.js";
import { find, make, nothing, refill, say } from "./dom.js";
import { bytes, count, percent, rate, share, span } from "./format.js";
import { history } from "./history.js";

const NONE = "\u2013";

/** One more document of /v1/stats, which the history has. */
export function show(stats) {
  ratio();
  traffic();
  figures(stats);
  latency(stats.latency);
  curve(stats);
}

/** Above the last minute's share of hits; of all time as long as there is none. */
function ratio() {
  const { now } = history;
  const [hits, requests] = ["hits", "requests"].map((name) => history.grown(name, 60));
  if (now.requests === 0) return;
  const recent = requests.by > 0;
  const part = recent ? hits.by / requests.by : now.hits / now.requests;
  const shown = share(part);
  if (find("ratio").dataset.shown !== shown) {
    find("ratio").dataset.shown = shown;
    find("ratio").replaceChildren(shown, make("span", { class: "unit" }, "%"));
  }
  const all = `${percent(now.hits / now.requests)} since the start`;
  const shared = recent ? history.grown("shared", 60).by / requests.by : now.shared / now.requests;
  const more = shared > 0 ? `; ${percent(shared)} more shared another\u2019s fetch` : "";
  say(find("ratio-note"), (recent ? `in ${past(hits.seconds)}; ${all}` : all) + more);
}

/** The last minute, or what of it has been seen. */
function past(seconds) {
  return seconds >= 59 ? "the last minute" : `the last ${span(Math.max(1, Math.round(seconds)))}`;
}

function traffic() {
  const [requests, origins] = ["requests", "origin"].map((name) => history.rates(name));
  const [now, then] = [history.rate("requests"), history.rate("origin")];
  const { window } = history;
  const time = window < 120 ? past(history.seen) : `the last ${Math.floor(window / 60)} minutes`;
  const label = now === undefined ? "No figures yet"
    : `Requests a second over ${time}: now ${rate(now)}, of which ${rate(then)} to the origin`;
  const series = [{ kind: "accent", points: requests }, { kind: "plain", points: origins }];
  chart(find("traffic"), series, window, label, (most) => `${count(most)}/s`);
  say(find("traffic-note"), time);
}

function figure(id, value, note) {
  say(find(id), value ?? NONE);
  say(find(`${id}-note`), value === undefined ? "not available" : note ?? "");
}

function figures(stats) {
  const { now } = history;
  const perSecond = (name) => {
    const value = history.rate(name);
    return value === undefined ? NONE : rate(value);
  };
  figure("requests", perSecond("requests"), `${count(now.requests)} since the start`);
  const errors = now.errors > 0 ? `, ${count(now.errors)} answered with 5xx` : "";
  figure("origins", perSecond("origin"), `${count(now.origin)} since the start, ${count(now.failures)} failed${errors}`);
  const { saved, evicted, sent } = now;
  const savedNow = history.rate("saved", 60);
  figure("saved", saved === undefined ? undefined : span(saved),
    savedNow === undefined ? "" : `${span(savedNow)} each second`);
  const { memory } = stats;
  figure("memory", percent(memory.bytes / memory.limit),
    `${bytes(memory.bytes)} of ${bytes(memory.limit)}, ${count(memory.targets)} URLs`);
  const evictions = history.grown("evicted", 60);
  figure("evicted", evicted === undefined ? undefined : count(evicted),
    evicted === undefined ? "" : `${count(evictions.by)} in ${past(evictions.seconds)}`);
  const sentNow = history.rate("sent");
  figure("sent", sent === undefined ? undefined : bytes(sent), sentNow === undefined ? "" : `${bytes(sentNow)} a second`);
  const { window } = history;
  for (const [id, name] of [["requests", "requests"], ["origins", "origin"], ["saved", "saved"], ["evicted", "evicted"], ["sent", "sent"]]) {
    spark(find(`${id}-spark`), history.rates(name), window);
  }
  spark(find("memory-spark"), history.values("memory"), window);
}

function latency(given) {
  const { hit, miss } = given ?? {};
  const known = (side) => side && Number.isFinite(side.p50);
  if (!known(hit) && !known(miss)) {
    refill(find("latency"), nothing(given ? "No answers in the last minute." : "Not available."));
    return;
  }
  const side = (name, times) => make("div", {},
    make("p", { class: "note" }, name),
    make("p", { class: "figure" }, known(times) ? span(times.p50) : NONE),
    make("p", { class: "note" }, known(times) ? `99\u202f% within ${span(times.p99)}` : "none in the last minute"));
  const faster = known(hit) && known(miss) && hit.p50 > 0 && miss.p50 > 2 * hit.p50
    ? nothing(`From the cache it is ${count(miss.p50 / hit.p50)} times as fast.`) : null;
  refill(find("latency"), make("div", { class: "versus" }, side("From the cache, median", hit), side("From the app, median", miss)), faster);
}

function curve(stats) {
  const points = stats.memory_curve;
  if (!points?.length) {
    refill(find("curve"), nothing(points ? "Too few different pages have been asked for to tell." : "Not available."));
    return;
  }
  const rows = points.map(({ factor, bytes: size, hit_ratio: part }) => [
    make("dt", {}, factor === 1 ? `${bytes(size)}, as now` : bytes(size)),
    make("dd", { class: "bar" }, bar(part)),
    make("dd", {}, percent(part)),
  ]);
  const advice = stats.memory_advice;
  refill(find("curve"), nothing("Share of requests that would be hits, by the memory for pages."),
    make("dl", { class: "bars" }, rows),
    advice ? make("p", {}, `${advice[0].toUpperCase()}${advice.slice(1)}.`) : null);
}
