// The dashboard: begins everything, and says how the connection is.

import { Problem, look } from "./api.js";
import { find, say } from "./dom.js";
import * as explain from "./explain.js";
import { history } from "./history.js";
import * as now from "./now.js";
import * as observed from "./observed.js";
import * as origin from "./origin.js";
import * as purge from "./purge.js";
import * as stored from "./stored.js";
import { follow } from "./stream.js";
import * as token from "./token.js";

/** Between two looks at what is observed, in milliseconds. */
const PERIOD = 10000;

const STATES = {
  live: ["good", "Live"],
  lost: ["bad", "Connection lost, trying again"],
  token: ["warning", "A token is needed"],
  refused: ["bad", "This token may not look"],
  full: ["warning", "Too many dashboards are open, trying again"],
};

let live = false;

function state(word) {
  const [kind, text] = STATES[word];
  find("connection").dataset.state = kind;
  say(find("connection"), text);
  document.body.classList.toggle("old", word !== "live");
  // What the page showed may be of another larder by now.
  if (word === "live" && !live) slowly();
  live = word === "live";
}

function event(name, document) {
  if (name === "purge") {
    purge.note(document);
    return;
  }
  history.add(document, performance.now());
  now.show(document);
  origin.show(document);
}

/** What is looked at by itself; what fails is looked at again. */
async function slowly() {
  const results = await Promise.allSettled([observed.show(), stored.show(), purge.show()]);
  for (const { reason } of results) if (reason && !(reason instanceof Problem)) throw reason;
}

setInterval(() => {
  if (live && !document.hidden) observed.show().catch(() => {});
}, PERIOD);

for (const part of [token, explain, stored, purge]) part.listen();
look("/openapi.json").then(({ info }) => say(find("version"), info.version)).catch(() => {});
follow(() => `/v1/events?since=${purge.newest()}`, { event, state });
