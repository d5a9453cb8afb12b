// The purge form, and the record of purges.

import { look, send } from "./api.js";
import { find, make, mark, nothing, refill, table } from "./dom.js";
import { bytes, count, many, moment, rate } from "./format.js";

const LONGEST_LIST = 50;
const HINTS = {
  urls: "http://www.example.org/articles/1",
  paths: "http://www.example.org/search",
  prefixes: "http://www.example.org/blog",
  tags: "article:1",
  hosts: "www.example.org",
  all: "",
};

const form = () => find("purge-form");
let records = [];

/** The number of the newest purge that is known. */
export function newest() {
  return records.reduce((most, record) => Math.max(most, record.number), 0);
}

/** Listens to the form. */
export function listen() {
  const { kind } = form().elements;
  kind.addEventListener("change", hint);
  hint();
  form().addEventListener("submit", (event) => {
    event.preventDefault();
    submit(event.submitter?.name !== "really");
  });
}

function hint() {
  const { kind, lines } = form().elements;
  find("purge-lines").hidden = kind.value === "all";
  lines.placeholder = HINTS[kind.value];
}

/** Puts a URL into the form. */
export function suggest(url) {
  const { kind, lines } = form().elements;
  kind.value = "urls";
  hint();
  lines.value = url;
  find("purge").scrollIntoView();
  lines.focus({ preventScroll: true });
}

function asked(dryRun) {
  const { kind, lines, soft, refresh } = form().elements;
  const selectors = lines.value.split("\n").map((line) => line.trim()).filter(Boolean);
  const what = kind.value === "all" ? { all: true } : { [kind.value]: selectors };
  return { ...what, soft: soft.checked, refresh: refresh.checked, dry_run: dryRun };
}

async function isSure() {
  const dialog = find("sure");
  dialog.returnValue = "no";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  return dialog.returnValue === "yes";
}

async function submit(dryRun) {
  const document = asked(dryRun);
  if (!document.all && Object.values(document)[0].length === 0) {
    say("warning", [make("p", {}, "Write what to forget, one a line.")]);
    form().elements.lines.focus();
    return;
  }
  if (document.all && !dryRun && !(await isSure())) return;
  const buttons = form().querySelectorAll("button");
  buttons.forEach((button) => button.setAttribute("aria-disabled", "true"));
  try {
    const answer = await send("/v1/purge", document);
    say("good", dryRun ? preview(answer) : done(answer));
  } catch (error) {
    const places = (error.errors ?? []).slice(0, 10).map(({ pointer, detail }) => make("li", {}, `${pointer}: ${detail}`));
    say("bad", [make("p", {}, error.message), places.length ? make("ul", {}, places) : null]);
  } finally {
    buttons.forEach((button) => button.removeAttribute("aria-disabled"));
  }
}

function say(state, parts) {
  refill(find("purged"), make("div", { class: "result", "data-state": state }, parts));
}

function preview(answer) {
  const { objects, soft, requests_per_second: hits } = answer;
  return [
    make("p", { class: "headline" }, `${many(objects, "response")} would ${soft ? "become stale" : "be forgotten"}: ${bytes(answer.bytes)}.`),
    make("p", {}, `Requests that would find nothing: ${rate(hits)} a second.`),
    answer.refresh ? make("p", {}, `${count(answer.refresh.wanted)} of them would be fetched again.`) : null,
    each(answer, "objects", "Would be met"),
  ];
}

function done(answer) {
  const { number, purged, soft } = answer;
  return [
    make("p", { class: "headline" }, `${many(purged, "response")} ${soft ? "made stale" : "forgotten"}.`),
    make("p", { class: "note" }, `Purge ${number}.`),
    answer.refresh ? make("p", {}, `${count(answer.refresh.wanted)} of them are fetched again.`) : null,
    each(answer, "purged", "Met"),
  ];
}

/** The counts of several selectors, each by itself. */
function each(answer, counted, label) {
  const list = ["urls", "paths", "prefixes", "tags", "hosts"].flatMap((kind) => answer[kind] ?? []);
  if (list.length < 2) return null;
  const name = (one) => Object.entries(one).find(([key]) => key !== counted)[1];
  return table("Each by itself", [
    { label: "Selector", cell: (one) => name(one) },
    { label, kind: "number", cell: (one) => count(one[counted]) },
  ], list.slice(0, LONGEST_LIST));
}

/** Looks at the record anew. */
export async function show() {
  ({ purges: records } = await look(`/v1/purges?limit=${LONGEST_LIST}`));
  render();
}

/** One more purge. */
export function note(record) {
  records = [record, ...records.filter(({ number }) => number !== record.number)].slice(0, LONGEST_LIST);
  render();
}

function render() {
  if (!records.length) {
    refill(find("purges"), nothing("Nothing has been purged since the start."));
    return;
  }
  refill(find("purges"), table("The newest first; only soft ones can be undone", [
    { label: "What", cell: ({ selectors, more_selectors: more }) => what(selectors, more) },
    { label: "When", kind: "word", cell: ({ at }) => make("time", { datetime: at }, moment(at)) },
    { label: "By", kind: "words", cell: ({ by, via }) => `${by}, ${via}` },
    { label: "How", kind: "word", cell: ({ soft }) => (soft ? "softly" : "hard") },
    { label: "Met", kind: "number", cell: ({ purged }) => (purged === null ? "\u2013" : count(purged)) },
    { label: "Undo", kind: "word", cell: undoing },
  ], records));
}

function what(selectors, more) {
  if (selectors.all) return "everything";
  const list = Object.entries(selectors).map(([kind, texts]) => `${kind}: ${texts.join(", ")}`);
  return list.join("; ") + (more > 0 ? ` and ${count(more)} more` : "");
}

function undoing(record) {
  if (record.undone) return mark("info", "undone");
  if (!record.soft) return "\u2013";
  const undo = async () => {
    try {
      const { undone } = await send(`/v1/purges/${record.number}/undo`, {});
      say("good", [make("p", { class: "headline" }, `${many(undone, "response")} fresh again.`)]);
    } catch (error) {
      say("bad", [make("p", {}, error.message)]);
    }
    show();
  };
  const attributes = { class: "link", type: "button", "data-key": `undo ${record.number}`, "aria-label": `Undo purge ${record.number}`, click: undo };
  return make("button", attributes, "undo");
}
