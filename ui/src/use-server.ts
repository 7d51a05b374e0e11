import { useEffect, useState } from "preact/hooks";
import { KeyWanted } from "./ask-server.ts";
import { fetchServer, type ServerDocument } from "./server.ts";
import { whileVisible } from "./while-visible.ts";

const EVERY_MS = 5000;

/** What the server says, asked anew every few seconds while the page is looked at. */
export function useServer(): {
  readonly server: ServerDocument | undefined;
  /** Why the last question had no answer. */
  readonly failure: string | undefined;
  /** True when it wants an API key. */
  readonly wantsKey: boolean;
  /** Asks anew, at once. */
  readonly retry: () => void;
} {
  const [server, setServer] = useState<ServerDocument>();
  const [failure, setFailure] = useState<string>();
  const [wantsKey, setWantsKey] = useState(false);
  const [attempt, setAttempt] = useState(0);
  useEffect(
    () =>
      whileVisible(EVERY_MS, async (signal) => {
        try {
          setServer(await fetchServer(signal));
          setFailure(undefined);
          setWantsKey(false);
        } catch (error) {
          if (error instanceof KeyWanted) {
            setFailure(undefined);
            setWantsKey(true);
          } else if (!signal.aborted)
            setFailure(error instanceof Error ? error.message : String(error));
        }
      }),
    [attempt],
  );
  return { server, failure, wantsKey, retry: () => setAttempt(attempt + 1) };
}
