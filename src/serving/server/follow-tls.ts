import type { TlsFiles } from "../transport/index.ts";
import type { Logger } from "./log/index.ts";
import type { RunningServer } from "./running-server.ts";

/** Files of mounted secrets are exchanged as a whole folder, which watchers of files do not see, so they are read again. */
const READ_EVERY_MS = 30_000;

export interface TlsFollower extends Disposable {
  /** Looks now. Never rejects. */
  look(): Promise<void>;
}

/**
 * Takes renewed certificates into use: their files are read again every 30 s, and when `look` is called. What cannot be read, or does not belong
 * together, changes nothing, and the log says why.
 * @param first - what the server was started with
 */
export function followTls(
  first: TlsFiles,
  read: () => Promise<TlsFiles | undefined>,
  { server, log }: { readonly server: Pick<RunningServer, "renewTls">; readonly log: Logger },
): TlsFollower {
  let last = first;
  const look = async (): Promise<void> => {
    try {
      const found = await read();
      if (found === undefined || isSame(found, last)) return;
      last = found; // one that is refused is not tried again until it changes
      server.renewTls(found);
      log.info({}, "the TLS certificate was renewed");
    } catch (error) {
      log.error(
        {},
        `renew the TLS certificate: the one before goes on: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  const timer = setInterval(() => void look(), READ_EVERY_MS); // it never rejects
  timer.unref();
  return { look, [Symbol.dispose]: () => clearInterval(timer) };
}

function isSame(one: TlsFiles, other: TlsFiles): boolean {
  return one.cert === other.cert && one.key === other.key && one.ca === other.ca;
}
