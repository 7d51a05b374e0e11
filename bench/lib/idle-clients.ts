import { connect, type Socket } from "node:net";

/** Clients that hold connections and ask nothing. */
export interface IdleClients {
  /** Connections that are open now. */
  open(): number;
  /** Connections that the server ended and that were opened again. */
  readonly reopened: () => number;
  stop(): void;
}

/** How long a client whose connection ended waits before it comes again, in ms. */
const AGAIN_MS = 10_000;

/**
 * Holds connections to a port on loopback: every second one has asked for `/live` once, the others never sent a byte. One that the
 * server ends, or does not take, comes again after ten seconds, as clients with a pool do.
 */
export function holdIdle(port: number, count: number): IdleClients {
  const sockets = new Map<number, Socket>();
  const timers = new Set<NodeJS.Timeout>();
  let [reopened, isOver] = [0, false];
  const hold = (index: number): void => {
    const socket = connect(port, "127.0.0.1");
    sockets.set(index, socket);
    socket.on("error", () => undefined).resume();
    if (index % 2 === 0)
      socket.once("connect", () => socket.write("GET /live HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"));
    socket.once("close", () => {
      sockets.delete(index);
      if (isOver) return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        reopened += 1;
        hold(index);
      }, AGAIN_MS);
      timers.add(timer);
    });
  };
  for (let index = 0; index < count; index += 1) hold(index);
  return {
    open: () => [...sockets.values()].filter(({ readyState }) => readyState === "open").length,
    reopened: () => reopened,
    stop() {
      isOver = true;
      for (const timer of timers) clearTimeout(timer);
      for (const socket of sockets.values()) socket.destroy();
    },
  };
}
