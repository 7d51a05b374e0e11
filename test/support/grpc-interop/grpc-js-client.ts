import { Client, compressionAlgorithms, credentials, Metadata, status } from "@grpc/grpc-js";

const SERVICE = "/slipway.interop.Test/";
const UNICODE = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1f608}\t\n";
const same = (bytes: Buffer): Buffer => bytes;

interface Outcome {
  readonly body?: Buffer;
  readonly code: number;
  readonly details: string;
  readonly trailers?: Metadata;
}

interface CallOptions {
  readonly body?: Buffer;
  readonly metadata?: Metadata;
  readonly timeoutMs?: number;
  readonly cancels?: boolean;
}

function unary(client: Client, name: string, options: CallOptions = {}): Promise<Outcome> {
  const { body = Buffer.alloc(0), metadata = new Metadata(), timeoutMs = 20_000 } = options;
  return new Promise((resolve) => {
    const call = client.makeUnaryRequest(
      name.startsWith("/") ? name : SERVICE + name,
      same,
      same,
      body,
      metadata,
      { deadline: Date.now() + timeoutMs },
      (error, answer) =>
        resolve(
          error === null
            ? { code: 0, details: "", ...(answer !== undefined && { body: answer }) }
            : { code: error.code, details: error.details, trailers: error.metadata },
        ),
    );
    if (options.cancels === true) call.cancel();
  });
}

/** Asks what `client.py` asks, over gRPC's own client for Node. */
export async function askByGrpcJs(target: string): Promise<Readonly<Record<string, unknown>>> {
  const limits = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };
  const client = new Client(target, credentials.createInsecure(), limits);
  const gzip = new Client(target, credentials.createInsecure(), {
    ...limits,
    "grpc.default_compression_algorithm": compressionAlgorithms.gzip,
  });
  const fail = (name: string, message: string): Promise<Outcome> =>
    unary(client, "Fail", { body: Buffer.from(JSON.stringify({ status: name, message })) });
  const codes = Object.entries(status).flatMap(([name, code]) =>
    typeof code === "number" && code > 0 ? [name] : [],
  );
  try {
    const sized = Buffer.alloc(271_828);
    sized.writeUInt32BE(314_159);
    const told = await fail("UNKNOWN", UNICODE);
    const parallel = await Promise.all(
      Array.from({ length: 500 }, (_, index) =>
        unary(client, "Echo", { body: Buffer.from(String(index)) }),
      ),
    );
    return {
      empty: (await unary(client, "Echo")).body?.byteLength,
      large: (await unary(client, "Sized", { body: sized })).body?.byteLength,
      message: [told.code, told.details],
      codes: (await Promise.all(codes.map((name) => fail(name, "")))).map(({ code }) => code),
      metadata: (await unary(client, "Metadata", { metadata: ownMetadata() })).body?.toString(),
      trailers: (await fail("ABORTED", "m")).trailers?.get("x-reason")[0],
      deadline: (await unary(client, "Hang", { timeoutMs: 100 })).code,
      cancelled: (await unary(client, "Hang", { cancels: true })).code,
      "unknown method": (await unary(client, "Nothing")).code,
      "unknown service": (await unary(client, "/a.B/Nothing")).code,
      "too large": (await unary(client, "Echo", { body: Buffer.alloc(2 ** 20 + 1) })).code,
      gzip: (await unary(gzip, "Echo", { body: Buffer.alloc(100_000) })).body?.byteLength,
      parallel: parallel.every(({ body }, index) => body?.toString() === String(index)),
      "server streams":
        (await streamed(client)).join() === Array.from({ length: 100 }, (_, n) => n).join(),
      "client streams": await counted(client),
      "both stream": await chatted(client),
      health: (await unary(client, "/grpc.health.v1.Health/Check")).body?.toString("hex"),
    };
  } finally {
    client.close();
    gzip.close();
  }
}

function ownMetadata(): Metadata {
  const metadata = new Metadata();
  metadata.set("x-echo", "a value");
  metadata.set("x-echo-bin", Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));
  return metadata;
}

async function streamed(client: Client): Promise<readonly string[]> {
  const call = client.makeServerStreamRequest(`${SERVICE}Stream`, same, same, Buffer.from("100"));
  return textsIn(call);
}

function counted(client: Client): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = client.makeClientStreamRequest(`${SERVICE}Count`, same, same, (error, answer) =>
      error === null ? resolve(String(answer)) : reject(error),
    );
    for (let index = 0; index < 100; index += 1) call.write(Buffer.from("x"));
    call.end();
  });
}

async function chatted(client: Client): Promise<readonly string[]> {
  const call = client.makeBidiStreamRequest(`${SERVICE}Chat`, same, same);
  for (const text of ["a", "b", "c"]) call.write(Buffer.from(text));
  call.end();
  return textsIn(call);
}

async function textsIn(messages: AsyncIterable<Buffer>): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const message of messages) texts.push(message.toString());
  return texts;
}
