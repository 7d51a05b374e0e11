// The process behind http-load.ts: raw sockets, kept open while the server keeps them, one request at a time on each.
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import type { LoadPlan, LoadRequest, LoadResult } from "./http-load.ts";

const {
  port,
  path,
  contentType,
  bodyFile,
  connections,
  seconds,
  warmUp = 1,
  rate,
} = JSON.parse(process.argv[2] ?? "{}") as LoadRequest & LoadPlan;
const body = readFileSync(bodyFile);
const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: ${contentType}\r\nContent-Length: ${body.byteLength}\r\n\r\n`;
const message = Buffer.concat([Buffer.from(head, "latin1"), body]);
const OK = Buffer.from("HTTP/1.1 200");
const LENGTH = /content-length: *(\d+)/i;
const CLOSE = /connection: *close/i;

const startedAt = performance.now();
const countFrom = startedAt + warmUp * 1000;
const endAt = countFrom + seconds * 1000;
const latencies: number[] = [];
let errors = 0;
let answerBytes = 0;
let isOver = false;

class Connection {
  #socket: Socket | undefined;
  #need = -1;
  #got = 0;
  #head: Buffer | undefined;
  #dueAt = 0;
  #closes = false;
  isBusy = false;

  send(dueAt: number): void {
    this.isBusy = true;
    this.#dueAt = dueAt;
    this.#need = -1;
    this.#got = 0;
    this.#head = undefined;
    if (this.#socket === undefined || this.#socket.destroyed || !this.#socket.writable)
      this.#open();
    this.#socket?.write(message);
  }

  #open(): void {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket = socket;
    socket.on("data", (chunk) => this.#read(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (this.#socket !== socket || !this.isBusy || isOver) return;
      if (this.#got === 0 && this.#head === undefined) this.#again(); // closed while idle; the request had not been read
      else this.#done(false);
    });
  }

  #again(): void {
    this.#open();
    this.#socket?.write(message);
  }

  #read(chunk: Buffer): void {
    if (this.#need < 0) {
      const whole = this.#head === undefined ? chunk : Buffer.concat([this.#head, chunk]);
      const end = whole.indexOf("\r\n\r\n");
      if (end < 0) {
        this.#head = whole;
        return;
      }
      const text = whole.toString("latin1", 0, end);
      this.#need = end + 4 + Number(LENGTH.exec(text)?.[1] ?? 0);
      this.#closes = CLOSE.test(text);
      this.#head = whole.subarray(0, 12);
      this.#got = whole.byteLength;
    } else this.#got += chunk.byteLength;
    if (this.#got >= this.#need) this.#done(this.#head?.equals(OK) === true);
  }

  #done(isOk: boolean): void {
    const now = performance.now();
    this.isBusy = false;
    if (this.#closes || !isOk) {
      this.#socket?.destroy();
      this.#socket = undefined;
    }
    answerBytes = this.#got;
    if (now >= countFrom && now < endAt) {
      if (isOk) latencies.push(now - this.#dueAt);
      else errors += 1;
    }
    next(this);
  }
}

const pool = Array.from({ length: connections }, () => new Connection());
const due: number[] = [];
let dueCount = 0;

/** The next request for a connection that is free. */
function next(connection: Connection): void {
  if (isOver) return;
  if (rate === undefined) {
    if (performance.now() < endAt) connection.send(performance.now());
    return;
  }
  const dueAt = due.shift();
  if (dueAt !== undefined) connection.send(dueAt);
}

/** Brings up what has come due since the last look. */
function tick(perSecond: number): void {
  const now = performance.now();
  for (
    let at = startedAt + (dueCount * 1000) / perSecond;
    at <= now;
    at = startedAt + (dueCount * 1000) / perSecond
  ) {
    dueCount += 1;
    due.push(at);
  }
  for (const connection of pool) {
    if (due.length === 0) break;
    if (!connection.isBusy) next(connection);
  }
  if (now < endAt) setTimeout(() => tick(perSecond), 1);
}

if (rate === undefined) for (const connection of pool) connection.send(performance.now());
else tick(rate);

setTimeout(() => {
  isOver = true;
  latencies.sort((a, b) => a - b);
  const at = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
  // What came due and never got an answer is as bad as an error.
  const unanswered = rate === undefined ? 0 : due.length;
  const result: LoadResult = {
    rps: latencies.length / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    errors: errors + unanswered,
    answerBytes,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}, endAt - startedAt);
