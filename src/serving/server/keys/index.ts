export { type ApiKeys } from "./api-keys.ts";
export { admitCalls, admitExchanges, createApiKeys } from "./guards.ts";
export { type ApiKey } from "./parse-keys.ts";
export { followKeys, readKeys, withoutKeys, type KeySource } from "./read-keys.ts";
