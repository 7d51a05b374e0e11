import type { Server, Socket } from "node:net";

/** One client's connection. */
export interface Connection {
  /** Requests on it that have no answer yet. */
  unanswered: number;
  /** True when the client has said that it sends no more, or is gone. */
  isGone: boolean;
  /** True when the connection is no more. */
  isClosed: boolean;
  /** Memory of bodies that are on their way over it. */
  taken: number;
  /** Called when that comes to pass. */
  readonly waiting: Set<() => void>;
  /** Bytes that had passed when it was looked at last. */
  bytes: number;
}

/** The connections of a server: who waits on them, and which may be ended. */
export class Connections {
  /** In the order of their last request; of their beginning where they had none. */
  readonly #open = new Map<Socket, Connection>();
  readonly #onMemory: (bytes: number) => void;

  /** @param onMemory - told of the memory that a connection had taken for bodies when it closed */
  constructor(onMemory: (bytes: number) => void = () => undefined) {
    this.#onMemory = onMemory;
  }

  /** Connections that are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Sees every connection that a server takes from now on; `event` says when one is ready for requests. */
  follow(server: Server, event: "connection" | "secureConnection"): void {
    server.on(event, (socket: Socket) => this.#add(socket));
  }

  /** The connection over a socket; a new one when the socket is not known. */
  of(socket: Socket): Connection {
    return this.#open.get(socket) ?? this.#add(socket);
  }

  /** The connection over a socket on which a request begins: the last one that `endIdle` ends. */
  begin(socket: Socket): Connection {
    const connection = this.of(socket);
    connection.unanswered += 1;
    if (this.#open.delete(socket)) this.#open.set(socket, connection);
    return connection;
  }

  /** Where the clients are. */
  get addresses(): ReadonlySet<string> {
    return new Set(this.#open.keys().map(addressOf));
  }

  /**
   * Ends two kinds of connections: those that never sent a byte, and those that are idle (every
   * request is answered) and did not move since the last call.
   */
  endQuiet(): void {
    for (const [socket, connection] of this.#open) {
      const bytes = socket.bytesRead + socket.bytesWritten;
      const isQuiet =
        connection.unanswered === 0 &&
        socket.writableLength === 0 &&
        (bytes === 0 || bytes === connection.bytes);
      connection.bytes = bytes;
      if (isQuiet) socket.destroy();
    }
  }

  /** Ends the connection that has asked nothing for longest and on which nothing is under way, save one. False when there is none. */
  endIdle(spared: Socket): boolean {
    for (const [socket, { unanswered }] of this.#open) {
      if (unanswered > 0 || socket === spared || socket.destroyed) continue;
      socket.destroy();
      return true;
    }
    return false;
  }

  #add(socket: Socket): Connection {
    const connection: Connection = {
      unanswered: 0,
      isGone: false,
      isClosed: false,
      taken: 0,
      waiting: new Set(),
      bytes: -1,
    };
    const gone = (): void => {
      connection.isGone = true;
      for (const tell of connection.waiting) tell();
      connection.waiting.clear();
    };
    this.#open.set(socket, connection);
    socket.once("end", gone);
    socket.once("close", () => {
      this.#open.delete(socket);
      connection.isClosed = true;
      if (connection.taken > 0) this.#onMemory(connection.taken);
      connection.taken = 0;
      gone();
    });
    return connection;
  }
}

/** The sockets of a server, by the client's address; with TLS also those whose handshake is not done, which nobody else knows of. */
export class Sockets {
  readonly #open = new Map<string, Socket>();

  /** Sees every connection that a server takes from now on. */
  follow(server: Server): void {
    const add = (socket: Socket): void => {
      const address = addressOf(socket);
      this.#open.set(address, socket); // in the place of the plain one once TLS stands
      socket.once("close", () => {
        if (this.#open.get(address) === socket) this.#open.delete(address);
      });
    };
    server.on("connection", add);
    server.on("secureConnection", add);
  }

  /** Ends those of the other addresses. */
  endExcept(addresses: ReadonlySet<string>): void {
    for (const [address, socket] of this.#open) if (!addresses.has(address)) socket.destroy();
  }
}

/** Where the client of a connection is. */
export function addressOf({
  remoteAddress,
  remotePort,
}: Pick<Socket, "remoteAddress" | "remotePort">): string {
  return `${remoteAddress}:${remotePort}`;
}
