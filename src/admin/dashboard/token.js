// The token: asked for when larder wants one, and kept by this tab alone.

import { Problem, dropToken, hasToken, keepToken, look } from "./api.js";
import { find, say } from "./dom.js";

/** Asks for a token whenever one is needed, and says `token-kept` once there is a good one. */
export function listen() {
  const dialog = find("token");
  const form = dialog.querySelector("form");
  addEventListener("token-needed", () => {
    if (dialog.open) return;
    wrong(hasToken() ? "The token that this tab kept is not good any more." : "");
    dialog.showModal();
  });
  // Without a token there is nothing to go back to.
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(form.elements.token);
  });
}

async function attempt(input) {
  if (!keepToken(input.value.trim())) {
    wrong("A token has no spaces and no letters beyond ASCII.");
    return;
  }
  try {
    await look("/v1/purges?limit=1");
  } catch (error) {
    dropToken();
    const refused = error instanceof Problem && error.status === 401;
    wrong(refused ? "This token is wrong, or not good from here." : error.message);
    input.select();
    return;
  }
  input.value = "";
  wrong("");
  find("token").close();
  dispatchEvent(new Event("token-kept"));
}

function wrong(text) {
  find("token-wrong").hidden = text === "";
  say(find("token-wrong"), text);
}
