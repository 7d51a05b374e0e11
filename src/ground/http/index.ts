export { callUrl, type UrlCall } from "./client/call-url.ts";
export { createHttpClient } from "./client/create-http-client.ts";
export { download, validatorOf, type DownloadCall } from "./client/download.ts";
export { downloadRanges } from "./client/download-ranges.ts";
export { readRanges } from "./client/read-ranges.ts";
export type {
  HttpBody,
  HttpClient,
  HttpRequest,
  HttpResponse,
  HttpTimeouts,
} from "./client/http-message.ts";
export type { ProxyEnvironment } from "./client/proxy.ts";
export { isSameOrigin, locationOf, MAX_REDIRECTS, mayFollow } from "./client/redirect.ts";
export { errorCodeOf, protocolError, retryAfterOf } from "./client/response-error.ts";
export { hostnameOf, isInternalLiteral, isLoopbackHost } from "./hosts.ts";
export { BodyBudget, defaultBodyBudget } from "./server/body-budget.ts";
export { connectionCap } from "./server/connection-cap.ts";
export { addressOf, Sockets } from "./server/connections.ts";
export { acceptedEncoding, encodeBody } from "./server/encode-body.ts";
export { Exchange, type Reply } from "./server/exchange.ts";
export {
  startHttpServer,
  type Access,
  type HttpServer,
  type HttpServerOptions,
  type Refusal,
  type Route,
} from "./server/http-server.ts";
export {
  listenOn,
  startListener,
  tlsOptions,
  type Listener,
  type TlsFiles,
} from "./server/listener.ts";
