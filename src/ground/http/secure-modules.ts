/*
 * Node's modules for TLS, taken with the first call that is secure: they cost a start 15 ms and more, and most commands make no such call.
 */

export function nodeHttps(): typeof import("node:https") {
  return process.getBuiltinModule("node:https");
}

export function nodeTls(): typeof import("node:tls") {
  return process.getBuiltinModule("node:tls");
}
