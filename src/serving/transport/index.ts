export * from "./grpc/index.ts";
export {
  startHttpServer,
  type Exchange,
  type HttpServer,
  type HttpServerOptions,
  type Refusal,
  type Reply,
  type Route,
  type TlsFiles,
} from "./http.ts";
