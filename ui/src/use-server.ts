import { useEffect, useState } from "preact/hooks";
import { fetchServer, type ServerDocument } from "./server.ts";
import { whileVisible } from "./while-visible.ts";

const EVERY_MS = 5000;

/** What the server says, asked anew every few seconds while the page is looked at. */
export function useServer(): {
  readonly server: ServerDocument | undefined;
  /** Why the last question had no answer. */
  readonly failure: string | undefined;
} {
  const [server, setServer] = useState<ServerDocument>();
  const [failure, setFailure] = useState<string>();
  useEffect(
    () =>
      whileVisible(EVERY_MS, async (signal) => {
        try {
          setServer(await fetchServer(signal));
          setFailure(undefined);
        } catch (error) {
          if (!signal.aborted) setFailure(error instanceof Error ? error.message : String(error));
        }
      }),
    [],
  );
  return { server, failure };
}
