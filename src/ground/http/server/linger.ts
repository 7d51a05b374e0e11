import type { Socket } from "node:net";

/** The client has this long to read the answer before its connection is cut. */
const LINGER_MS = 1000;

/**
 * Lets a client that is still sending a body read the answer to it. A socket that is closed over unread bytes resets the connection, and
 * many clients lose the answer then. So when node:http is done with the answer, only our side is closed; what comes is not read while
 * the client has time to see the answer.
 */
export function lingerAfterAnswer(socket: Socket): void {
  socket.destroySoon = () => {
    socket.end();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => clearTimeout(timer));
    // node:http lets the rest of the body flow away in this very turn; nothing is read from the next one on.
    setImmediate(() => socket.pause());
  };
}
