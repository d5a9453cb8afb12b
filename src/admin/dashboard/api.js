// Asking larder. The token goes along as a field, and is kept by this tab alone.

const KEY = "larder-token";

/** What larder answers when it does not do what it was asked (RFC 9457); status 0 is no answer. */
export class Problem extends Error {
  constructor(status, title, detail, errors = []) {
    super(detail || title);
    this.status = status;
    this.title = title;
    this.errors = errors;
  }
}

/** Whether a token is kept. */
export function hasToken() {
  return sessionStorage.getItem(KEY) !== null;
}

/** Keeps a token; returns whether it can be one. */
export function keepToken(token) {
  if (!/^[\x21-\x7e]+$/.test(token)) return false;
  sessionStorage.setItem(KEY, token);
  return true;
}

/** Forgets the token. */
export function dropToken() {
  sessionStorage.removeItem(KEY);
}

/** Asks for a path. Throws a `Problem` unless the answer is a good one. */
export async function ask(path, { fields = {}, ...options } = {}) {
  const headers = new Headers(fields);
  const token = sessionStorage.getItem(KEY);
  if (token !== null) headers.set("Authorization", `Bearer ${token}`);
  let response;
  try {
    response = await fetch(path, { ...options, headers, credentials: "omit", cache: "no-store", redirect: "error" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "No answer", "larder can't be reached");
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  if (response.status === 401) dispatchEvent(new Event("token-needed"));
  throw new Problem(response.status, said.title ?? response.statusText, said.detail ?? "", said.errors);
}

/** A document. */
export async function look(path, options) {
  return (await ask(path, options)).json();
}

/** Sends a document, and returns the one that is answered. */
export async function send(path, document) {
  const fields = { "Content-Type": "application/json" };
  return look(path, { method: "POST", fields, body: JSON.stringify(document) });
}

let paths;

/** Whether this larder has a path. */
export async function has(path) {
  paths ??= look("/openapi.json");
  try {
    return path in (await paths).paths;
  } catch {
    paths = undefined;
    return false;
  }
}
