// Server-sent events, read by hand: a browser's own reader can't send a token.

import { Problem, ask } from "./api.js";

/** Without an event for so long, the connection counts as lost. */
const SILENCE = 6000;
const SHORTEST_WAIT = 1000;
const LONGEST_WAIT = 15000;

/**
 * Follows the events for ever. `on.event(name, data)` has each, `on.state(word)` is told
 * `live`, `lost`, `refused`, `full` or `token`; `path()` is asked anew each time.
 */
export async function follow(path, on) {
  let wait = SHORTEST_WAIT;
  for (;;) {
    try {
      await once(path(), (name, data) => {
        wait = SHORTEST_WAIT;
        on.state("live");
        on.event(name, data);
      });
      // It ended as it should: the configuration has changed, or larder closes.
    } catch (error) {
      const status = error instanceof Problem ? error.status : 0;
      on.state({ 401: "token", 403: "refused", 503: "full" }[status] ?? "lost");
      if (status === 401) {
        await new Promise((resolve) => addEventListener("token-kept", resolve, { once: true }));
        continue;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }
}

async function once(path, event) {
  const abort = new AbortController();
  let silence = setTimeout(() => abort.abort(), SILENCE);
  try {
    const response = await ask(path, { signal: abort.signal });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(silence);
      silence = setTimeout(() => abort.abort(), SILENCE);
      const whole = (rest + value).split("\n\n");
      rest = whole.pop();
      for (const text of whole) event(...parse(text));
    }
  } finally {
    clearTimeout(silence);
  }
}

function parse(text) {
  let name = "message";
  const data = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    if (line.startsWith("data: ")) data.push(line.slice(6));
  }
  return [name, JSON.parse(data.join("\n"))];
}
