export type {
  OpenOptions,
  ReferrersOptions,
  Registry,
  RegistryOptions,
  Repository,
} from "./contracts.ts";
export { createRegistry } from "./create-registry.ts";
export { isLoopbackHost } from "../../ground/http/index.ts";
export type {
  Credential,
  CredentialOptions,
  CredentialOrigin,
  Keychain,
} from "./keychain/contracts.ts";
export { createKeychain, type KeychainOptions } from "./keychain/create-keychain.ts";
export {
  login,
  logout,
  type LoginOptions,
  type LoginPlace,
  type LogoutOptions,
} from "./keychain/login.ts";
export type { RegistryStats } from "./transport/stats.ts";
