import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useWords } from "../words.ts";

const SHOWN_MS = 1500;

/** Copies a text, and says so for a moment. */
export function CopyButton({
  text,
  about,
}: {
  readonly text: string;
  /** What is copied, for those who do not see what it stands beside. */
  readonly about: string;
}): JSX.Element {
  const words = useWords();
  const [isDone, setDone] = useState(false);
  const copy = async (): Promise<void> => {
    await put(text);
    setDone(true);
    setTimeout(() => setDone(false), SHOWN_MS);
  };
  return (
    <button
      type="button"
      class="small"
      onClick={() => void copy()}
      aria-label={`${words.copy}: ${about}`}
    >
      <span aria-live="polite">{isDone ? words.copied : words.copy}</span>
    </button>
  );
}

/** Browsers have no clipboard on pages of plain HTTP from other machines: the old way works there. */
async function put(text: string): Promise<void> {
  if (isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
