import { acceptedEncoding, encodeBody } from "../../../ground/http/index.ts";
import type { Exchange, Reply } from "../../transport/index.ts";
import type { Plane } from "../protocol.ts";
import { JSON_TYPE, replyError } from "./v2-errors.ts";

/** Answers with what `start` comes to, packed as the client asks for it, or with its error as `{"error": text}`. */
export function settle(plane: Plane, exchange: Exchange, start: () => Promise<Reply>): void {
  start()
    .then(async (reply) => exchange.reply(await packed(exchange, reply)))
    .catch((error: unknown) => replyError(plane, exchange, error));
}

/** A value as JSON, with status 200. */
export function jsonReply(value: unknown): Reply {
  return { status: 200, contentType: JSON_TYPE, body: Buffer.from(JSON.stringify(value)) };
}

/** The reply as the client asks for it, gzip or deflate. */
async function packed(exchange: Exchange, reply: Reply): Promise<Reply> {
  const encoding = acceptedEncoding(exchange.header("accept-encoding"));
  if (encoding === undefined || typeof reply.body === "string") return reply;
  const body = await encodeBody(reply.body, encoding);
  const headers = [
    ...(reply.headers ?? []),
    "Content-Encoding",
    encoding,
    "Vary",
    "Accept-Encoding",
  ];
  return { ...reply, body, headers };
}

/** Headers of a request, names in lower case, values that came several times joined. */
export function headersOf({ request }: Exchange): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
}
