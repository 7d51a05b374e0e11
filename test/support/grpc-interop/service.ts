import {
  healthMethods,
  startGrpcServer,
  type GrpcCall,
  type GrpcMethod,
  type GrpcServer,
} from "../../../src/serving/transport/grpc/index.ts";

export interface InteropServer {
  readonly server: GrpcServer;
  /** Resolves when so many calls of `Hang` have been given up by their clients. */
  readonly abandoned: (count: number) => Promise<void>;
}

/** A service on which every way of calling can be tried; a message may have 1 MiB. */
export async function startInteropServer(): Promise<InteropServer> {
  const hung = new Set<GrpcCall>();
  let given = 0;
  let look = (): void => undefined;
  const methods: Readonly<Record<string, GrpcMethod>> = {
    Echo: { onMessage: (call, message) => call.reply(message) },
    Sized: { onMessage: (call, message) => call.reply(Buffer.alloc(message.readUInt32BE(0))) },
    Fail: {
      onMessage: (call, message) =>
        call.fail({
          ...(JSON.parse(message.toString("utf8")) as Pick<
            Parameters<GrpcCall["fail"]>[0],
            "status" | "message"
          >),
          trailers: { "x-reason": "a reason" },
        }),
    },
    Metadata: {
      onMessage: (call) =>
        call.reply(Buffer.from(`${call.header("x-echo")} ${call.header("x-echo-bin")}`)),
    },
    Hang: {
      onMessage: (call) => {
        hung.add(call);
        call.signal.addEventListener("abort", () => {
          given += 1;
          look();
        });
      },
    },
    Stream: {
      onMessage: (call, message) => {
        for (let index = 0; index < Number(message); index += 1)
          call.write(Buffer.from(String(index)));
        call.finish();
      },
    },
    Count: countMethod(),
    Chat: {
      takesMany: true,
      onMessage: (call, message) => call.write(message),
      onEnd: (call) => call.finish(),
    },
  };
  const server = await startGrpcServer({
    host: "127.0.0.1",
    port: 0,
    maxMessageBytes: 2 ** 20,
    methods: new Map([
      ...Object.entries(methods).map(
        ([name, method]) => [`/slipway.interop.Test/${name}`, method] as const,
      ),
      ...healthMethods({ services: [], isReady: () => true }),
    ]),
  });
  return {
    server,
    abandoned: (count) =>
      new Promise((resolve) => {
        look = () => {
          if (given >= count) resolve();
        };
        look();
      }),
  };
}

function countMethod(): GrpcMethod {
  const counts = new WeakMap<GrpcCall, number>();
  return {
    takesMany: true,
    onMessage: (call) => void counts.set(call, (counts.get(call) ?? 0) + 1),
    onEnd: (call) => call.reply(Buffer.from(String(counts.get(call) ?? 0))),
  };
}
