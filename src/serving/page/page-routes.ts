import { acceptedEncoding } from "../../ground/http/index.ts";
import type { Exchange, Reply, Route } from "../transport/index.ts";
import { readPageFiles, type PageFile } from "./page-files.ts";
import { serverDocument, type DocumentSource } from "./server-document.ts";

export interface PageOptions extends Omit<DocumentSource, "grpcPort"> {
  /** Asked whenever the page asks, since the port is taken later than the routes are made. */
  readonly grpcPort: () => number | undefined;
  /** Told about a failure to read what is shown. */
  readonly onFailure: (error: unknown) => void;
  /** The built page. Default: the one that came with this server. */
  readonly files?: ReadonlyMap<string, PageFile>;
}

/**
 * What the page may do: load its own files, and ask its own server. Nothing inline, nothing from elsewhere, in no frame. Pictures that are
 * dropped on it are shown from memory.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const SAFETY = [
  ...["Content-Security-Policy", POLICY],
  ...["X-Content-Type-Options", "nosniff"],
  ...["Referrer-Policy", "no-referrer"],
  ...["X-Frame-Options", "DENY"],
  ...["Cross-Origin-Opener-Policy", "same-origin"],
];
const TEXT = "text/plain; charset=utf-8";
const JSON_TYPE = "application/json";

/** `/`: the page. `/ui/…`: its files, and `/ui/server.json`, what it shows. They read; nothing here changes the server. */
export async function pageRoutes(options: PageOptions): Promise<ReadonlyMap<string, Route>> {
  const files = options.files ?? (await readPageFiles());
  const page = files.get("index.html");
  const routes = new Map<string, Route>([
    [
      "/",
      open((exchange) =>
        exchange.reply(page === undefined ? NOT_BUILT : fileReply(exchange, page)),
      ),
    ],
    ["/ui/server.json", getting((exchange) => replyDocument(exchange, options))],
  ]);
  for (const file of files.values())
    if (file !== page)
      routes.set(
        `/ui/${file.path}`,
        open((exchange) => exchange.reply(fileReply(exchange, file))),
      );
  return routes;
}

function getting(handle: Route["handle"]): Route {
  return { methods: ["GET"], handle };
}

/** For files that everybody has who has this package. */
function open(handle: Route["handle"]): Route {
  return { ...getting(handle), access: "open" };
}

const NOT_BUILT: Reply = {
  status: 404,
  contentType: TEXT,
  body: "the page has not been built: run `npm run build` in the checkout\n",
};

function fileReply(exchange: Exchange, file: PageFile): Reply {
  const { contentType, bytes, packed, isHashed } = file;
  const isPacked = acceptedEncoding(exchange.header("accept-encoding")) === "gzip";
  return {
    status: 200,
    contentType,
    body: isPacked ? packed : bytes,
    headers: [
      ...SAFETY,
      ...["Cache-Control", isHashed ? "public, max-age=31536000, immutable" : "no-cache"],
      ...["Vary", "Accept-Encoding"],
      ...(isPacked ? ["Content-Encoding", "gzip"] : []),
    ],
  };
}

function replyDocument(exchange: Exchange, { grpcPort, onFailure, ...source }: PageOptions): void {
  serverDocument({ ...source, grpcPort: grpcPort() }).then(
    (document) =>
      exchange.reply({
        status: 200,
        contentType: JSON_TYPE,
        body: Buffer.from(JSON.stringify(document)),
        headers: ["X-Content-Type-Options", "nosniff", "Cache-Control", "no-store"],
      }),
    (error: unknown) => {
      onFailure(error);
      exchange.reply({ status: 500, contentType: TEXT, body: "a bug in slipway: see the log\n" });
    },
  );
}
