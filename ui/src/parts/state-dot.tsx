import type { JSX } from "preact";
import type { ModelDocument } from "../server.ts";
import { useWords } from "../words.ts";

/** A dot in the colour of the model's state, which it also says. */
export function StateDot({ model }: { readonly model: ModelDocument }): JSX.Element {
  const words = useWords();
  const text = model.isReady ? words.ready : model.state;
  const name = model.isReady
    ? "ready"
    : ["loading", "asleep"].includes(model.state)
      ? "waiting"
      : "failed";
  return <span class={`dot dot-${name}`} role="img" aria-label={text} title={text} />;
}
