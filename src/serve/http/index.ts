export { Exchange, type Reply } from "./exchange.ts";
export { startHttpServer, type HttpServer, type HttpServerOptions, type Refusal, type Route, type TlsFiles } from "./http-server.ts";
