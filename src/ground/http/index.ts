export { callUrl, type UrlCall } from "./client/call-url.ts";
export { createHttpClient, type HttpClientOptions } from "./client/create-http-client.ts";
export { download, type DownloadCall } from "./client/download.ts";
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
