/** Kept for this tab alone, and gone with it. */
const KEPT = "slipway-key";

/** The server wants an API key, or another one. */
export class KeyWanted extends Error {}

/** The key that was typed into this tab; empty for none. */
export function apiKey(): string {
  return sessionStorage.getItem(KEPT) ?? "";
}

/** Takes a key into use for every question from now on. */
export function chooseKey(key: string): void {
  sessionStorage.setItem(KEPT, key);
}

/** Asks this page's own server, with the key where there is one. */
export function askServer(path: string, init: RequestInit): Promise<Response> {
  const key = apiKey();
  const headers = new Headers(init.headers);
  if (key !== "") headers.set("Authorization", `Bearer ${key}`);
  return fetch(path, { ...init, headers });
}
