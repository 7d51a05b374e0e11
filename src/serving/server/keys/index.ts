export { type ApiKeys } from "./api-keys.ts";
export { admitCalls, admitExchanges, createApiKeys } from "./guards.ts";
export { type ApiKey } from "./parse-keys.ts";
export { userCodeEnv, withoutKeys } from "./key-variables.ts";
export { followKeys, readKeys, type KeySource } from "./read-keys.ts";
