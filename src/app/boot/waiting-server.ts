import { startHttpServer, type Reply, type Route } from "../../ground/http/index.ts";
import type { FetchProgress } from "../../models/fetch/index.ts";

/** Answers while a model is being fetched: the process lives, and no model is ready. */
export interface WaitingServer extends AsyncDisposable {
  /** What a refusal says of how far it is. */
  readonly onProgress: (progress: FetchProgress) => void;
}

const TEXT = "text/plain; charset=utf-8";
/** Seconds after which a client may ask again. */
const RETRY_AFTER = ["retry-after", "5"];
/** Paths by which the protocols' clients ask whether the process lives. */
const LIVE_PATHS = ["/live", "/health/ping", "/v2/health/live"];

/** Listens where the model will be served. @throws ToolError `PORT_TAKEN` */
export async function startWaitingServer(host: string, port: number): Promise<WaitingServer> {
  let text = "the model is being fetched";
  const live: Route = {
    methods: ["GET"],
    handle: (exchange) => exchange.reply({ status: 200, contentType: TEXT, body: "live\n" }),
  };
  const notReady = (): Reply => ({
    status: 503,
    contentType: TEXT,
    body: `${text}\n`,
    headers: RETRY_AFTER,
  });
  const server = await startHttpServer({
    host,
    port,
    maxBodyBytes: 0,
    routes: new Map(LIVE_PATHS.map((path) => [path, live])),
    refuse: (exchange) => exchange.reply(notReady()),
  });
  return {
    onProgress({ bytes, size }) {
      text = `the model is being fetched: ${bytes} bytes${size === undefined ? "" : ` of ${size}`}`;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(server.cut()),
  };
}
