export { addressOf, Sockets } from "./connections.ts";
export { Exchange, type Reply } from "./exchange.ts";
export {
  startHttpServer,
  tlsOptions,
  type HttpServer,
  type HttpServerOptions,
  type Refusal,
  type Route,
  type TlsFiles,
} from "./http-server.ts";
