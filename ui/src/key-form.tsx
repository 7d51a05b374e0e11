import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { apiKey, chooseKey } from "./ask-server.ts";
import { useWords } from "./words.ts";

/** Asks for the API key that the server wants. */
export function KeyForm({ retry }: { readonly retry: () => void }): JSX.Element {
  const words = useWords();
  const [key, setKey] = useState("");
  const [isRefused] = useState(apiKey() !== "");
  const use = (event: SubmitEvent): void => {
    event.preventDefault();
    chooseKey(key.trim());
    retry();
  };
  return (
    <section class="card empty">
      <h1>{words.keyWanted}</h1>
      <form onSubmit={use} class="key-form">
        <label htmlFor="api-key">{words.key}</label>
        <input
          id="api-key"
          type="password"
          autoComplete="off"
          required
          value={key}
          onInput={({ currentTarget }) => setKey(currentTarget.value)}
        />
        <button type="submit" class="primary">
          {words.useKey}
        </button>
      </form>
      {isRefused && <p role="alert">{words.keyRefused}</p>}
      <p class="quiet">{words.keyKept}</p>
    </section>
  );
}
