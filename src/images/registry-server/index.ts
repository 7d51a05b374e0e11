export {
  createRegistryServer,
  type RegistryServer,
  type RegistryServerOptions,
  type RequestLogEntry,
} from "./create-registry-server.ts";
