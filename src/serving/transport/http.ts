import * as kit from "../../ground/http/index.ts";
import type { SpanContext } from "../plane/index.ts";

export { type HttpServer, type Reply, type TlsFiles } from "../../ground/http/index.ts";

/** A request to this server; `span` is the context of its trace. */
export type Exchange = kit.Exchange<SpanContext>;
export type Route = kit.Route<SpanContext>;
export type Refusal = kit.Refusal<SpanContext>;
export type HttpServerOptions = kit.HttpServerOptions<SpanContext>;

/** Starts a server whose answers carry the request's id as Seldon's clients know it. @throws ToolError `PORT_TAKEN` */
export function startHttpServer(options: HttpServerOptions): Promise<kit.HttpServer> {
  return kit.startHttpServer({ idHeader: "Seldon-Puid", ...options });
}
