import { InferenceError } from "../../../ground/errors/index.ts";
import { ComponentError, isRaw } from "../../plane/index.ts";
import { parseReady, type ProcessFacts } from "./facts.ts";
import { FlightTable } from "./flight-table.ts";
import { FrameReader, type IncomingFrame } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import { startHint } from "./start-hint.ts";
import { lineOf, parseUserFailure } from "./user-failure.ts";
import { FRAME, PROTOCOL_VERSION } from "./wire.ts";
import { logLineOf, RunError, type Flight, type WorkerOptions } from "./worker-call.ts";
import { describeEnding, isPassing, type Ending, type WorkerProcess } from "./worker-process.ts";

/** Bytes inside a worker beyond which no further call is sent, unless it is idle. */
const MAX_BYTES_INSIDE = 64 * 2 ** 20;
/** Work that may lie ready inside a worker: enough to keep it busy, little enough to go elsewhere when it dies or hangs. */
const READY_MS = 5;

/** One process and the calls inside it. */
export class Worker {
  readonly index: number;
  readonly process: WorkerProcess;
  /** Resolves to what the READY frame says; rejects with MODEL_LOAD_FAILED. Settled once. */
  readonly ready: Promise<ProcessFacts>;
  readonly #options: WorkerOptions;
  readonly #writer: FrameWriter;
  readonly #reader: FrameReader;
  readonly #flights: FlightTable;
  readonly #freed: number[] = [];
  #isReady = false;
  #wasReady = false;
  #nextId = 1;
  #bytesInside = 0;
  #window: number;
  #minWindow: number;
  #threads: number;
  #callMs = 1;
  #hasMeasured = false;
  #progressAt = 0;
  #flushAsked = false;
  #watch: NodeJS.Timeout | undefined;
  #why: InferenceError | undefined;
  #settleReady: { resolve: (facts: ProcessFacts) => void; reject: (reason: unknown) => void };

  constructor(options: WorkerOptions) {
    this.index = options.index;
    this.process = options.process;
    this.#options = options;
    this.#minWindow = options.minWindow;
    this.#threads = options.threads;
    this.#window = Math.min(options.maxWindow, Math.max(options.minWindow, 8));
    this.#flights = new FlightTable(Math.max(options.maxWindow, options.minWindow));
    this.#writer = new FrameWriter(options.arena, options.sharedFrom);
    this.#reader = new FrameReader(options.arena);
    const { promise, resolve, reject } = Promise.withResolvers<ProcessFacts>();
    this.ready = promise;
    this.ready.catch(() => undefined); // whoever starts the worker awaits it; nobody has to
    this.#settleReady = { resolve, reject };
    options.process.socket.on("data", (chunk: Buffer) => this.#read(chunk));
    void options.process.ended.then((ending) => this.#end(ending)); // never rejects
  }

  /** Time for one call, in ms, as learnt from the last ones; undefined before the first. */
  get callMs(): number | undefined {
    return this.#hasMeasured ? this.#callMs : undefined;
  }

  /** Calls inside. */
  get load(): number {
    return this.#flights.size;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** True when it has been ready once. */
  get wasReady(): boolean {
    return this.#wasReady;
  }

  /** True when a call of this many bytes may be sent now. */
  hasRoom(bytes: number): boolean {
    if (!this.#isReady || this.#flights.size >= this.#window) return false;
    return this.#flights.size === 0 || this.#bytesInside + bytes <= MAX_BYTES_INSIDE;
  }

  /** @throws UnsendableError; the call is not inside then. */
  send(flight: Flight): void {
    const id = this.#nextId;
    const { call } = flight;
    if (call.kind === "graph") this.#writer.request(id, call.request, call);
    else this.#writer.infer(id, call.request, call.component);
    flight.id = id;
    this.#nextId = id === 0xffff_ffff ? 1 : id + 1;
    if (this.#flights.size === 0) {
      this.#progressAt = performance.now();
      this.#watchFrom(this.#options.timeoutMs);
    }
    this.#flights.add(flight);
    if (this.#threads > 1) flight.sentAt = performance.now();
    this.#bytesInside += flight.bytes;
    this.#askFlush();
  }

  /** Tells a call's code to stop, where it gives its answer in pieces. The call is still inside until its last answer comes. */
  cancel({ id }: Flight): void {
    if (!this.#flights.has(id)) return;
    this.#writer.cancel(id);
    this.#askFlush();
  }

  /** Ends the process at once; `why` is what the calls inside are told. */
  kill(why: InferenceError): void {
    this.#why ??= why;
    this.#isReady = false;
    this.process.signal("SIGKILL");
  }

  #askFlush(): void {
    if (this.#flushAsked) return;
    this.#flushAsked = true;
    setImmediate(() => this.#flush()); // one write for all calls of this turn of the event loop
  }

  #flush(): void {
    this.#flushAsked = false;
    if (this.#freed.length > 0) {
      this.#writer.text(FRAME.release, Buffer.from(Uint32Array.from(this.#freed).buffer));
      this.#freed.length = 0;
    }
    const { socket } = this.process;
    const chunks = this.#writer.take();
    if (socket.destroyed || !socket.writable || chunks.length === 0) return;
    if (chunks.length > 1) socket.cork();
    for (const chunk of chunks) socket.write(chunk);
    if (chunks.length > 1) socket.uncork();
  }

  #read(chunk: Buffer): void {
    let answers = 0;
    try {
      for (const frame of this.#reader.frames(chunk)) answers += this.#take(frame);
    } catch (error) {
      this.kill(
        new InferenceError(
          "WORKER_CRASHED",
          this.#message(
            `it sent a bad frame: ${error instanceof Error ? error.message : String(error)}`,
          ),
          { cause: error },
        ),
      );
      return;
    }
    if (answers === 0) return;
    this.#measure(answers);
    this.#options.onRoom(this);
  }

  #take(frame: IncomingFrame): number {
    switch (frame.type) {
      case "response":
        return this.#takeResponse(frame);
      case "tensors":
        return this.#takeTensors(frame);
      case "error":
        return this.#takeError(frame.id, frame.textA.toString("utf8"), frame.textB);
      case "log":
        this.#options.onLog(logLineOf(frame, this.index));
        return 0;
      case "release":
        for (let at = 0; at + 4 <= frame.textA.byteLength; at += 4) {
          if (this.#options.arena?.giveBack(frame.textA.readUInt32LE(at)) !== true)
            throw new Error("a release of a page that is not taken");
        }
        return 0;
      case "ready":
        this.#takeReady(parseReady(frame.textA.toString("utf8")));
        return 0;
      default:
        return frame satisfies never;
    }
  }

  #takeReady(facts: ProcessFacts): void {
    const { model, components } = this.#options;
    if (facts.protocol !== PROTOCOL_VERSION || facts.others.length !== components.length - 1) {
      const why = `the worker speaks protocol ${facts.protocol} and has ${facts.others.length + 1} models, this server speaks ${PROTOCOL_VERSION} and asked for ${components.length}`;
      this.kill(
        new InferenceError("MODEL_LOAD_FAILED", `load the model "${model}": ${why}`, {
          model,
          hint: "take the worker that came with this server",
        }),
      );
      return;
    }
    this.#isReady = this.#wasReady = true;
    this.#threads = Math.max(this.#threads, facts.threads);
    this.#minWindow = Math.max(this.#minWindow, 2 * this.#threads);
    this.#window = Math.max(this.#window, this.#minWindow);
    this.#settleReady.resolve(facts);
  }

  #takeTensors({
    id,
    response,
    pages,
    hasMore,
  }: Extract<IncomingFrame, { type: "tensors" }>): number {
    this.#freed.push(...pages);
    const flight = this.#flights.get(id);
    if (flight?.call.kind !== "infer")
      throw new Error(`tensors for call ${id}, which did not ask for them`);
    if (!isRaw(response.outputs) && response.outputs.length > 0) flight.call.onAnswer(response);
    if (hasMore) flight.sentAt = performance.now();
    else this.#land(id)?.resolve(undefined);
    return 1;
  }

  #takeResponse({
    id,
    page,
    joinedRows,
    response,
  }: Extract<IncomingFrame, { type: "response" }>): number {
    if (page >= 0) this.#freed.push(page);
    if (joinedRows > 0) this.#options.onBatch?.(joinedRows);
    this.#land(id)?.resolve(response);
    return 1;
  }

  #takeError(id: number, text: string, told: Buffer): number {
    const failure = parseUserFailure(text);
    const { model } = this.#options;
    if (id === 0 && !this.#isReady) {
      this.#settleReady.reject(
        new ComponentError("MODEL_LOAD_FAILED", `load the model "${model}": ${lineOf(failure)}`, {
          model,
          failure,
          hint: startHint(failure),
        }),
      );
      return 0;
    }
    const code = failure.isRefusal && failure.status < 500 ? "REQUEST_INVALID" : "MODEL_FAILED";
    const flight = this.#land(id);
    const asked = this.#options.components[flight?.call.component ?? 0] ?? model;
    const error = new ComponentError(code, `call the model "${asked}": ${lineOf(failure)}`, {
      model: asked,
      failure,
    });
    const isRun = flight?.call.kind === "graph" && flight.call.run !== undefined;
    flight?.reject(isRun ? new RunError(error, told.toString("utf8")) : error);
    return 1;
  }

  #land(id: number): Flight | undefined {
    const flight = this.#flights.take(id);
    if (flight === undefined) throw new Error(`an answer to call ${id}, which is not inside`);
    this.#bytesInside -= flight.bytes;
    return flight;
  }

  /** Learns how long a call takes, and lets as many in as can be answered soon. */
  #measure(answers: number): void {
    const now = performance.now();
    const callMs = (now - this.#progressAt) / answers;
    this.#progressAt = now;
    this.#hasMeasured = true;
    this.#callMs += (callMs - this.#callMs) * Math.min(0.5, answers / 16);
    this.#window = Math.max(
      this.#minWindow,
      Math.min(this.#options.maxWindow, Math.round(READY_MS / Math.max(this.#callMs, 0.001))),
    );
    if (this.#flights.size === 0) {
      clearTimeout(this.#watch);
      this.#watch = undefined;
    }
  }

  #watchFrom(delayMs: number): void {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      const leftMs =
        Math.min(this.#progressAt + this.#options.timeoutMs, this.#oldestEnd()) - performance.now();
      if (leftMs > 0) this.#watchFrom(leftMs);
      else
        this.kill(
          new InferenceError(
            "MODEL_TIMEOUT",
            `call the model "${this.#options.model}": no answer after ${this.#options.timeoutMs} ms`,
            { model: this.#options.model },
          ),
        );
    }, delayMs);
    this.#watch.unref();
  }

  /**
   * With several threads the others' answers hide one that hangs. A call waits inside for others and then runs, both at
   * the most for the time-out.
   */
  #oldestEnd(): number {
    if (this.#threads < 2) return Infinity;
    const [oldest] = this.#flights.inOrder();
    return oldest === undefined ? Infinity : oldest.sentAt + 2 * this.#options.timeoutMs;
  }

  /** Settles what is inside: the calls that had begun fail, the others go back to the pool. */
  #end(ending: Ending): void {
    this.#isReady = false;
    clearTimeout(this.#watch);
    this.#settleReady.reject(this.#why ?? this.#loadFailure(ending));
    const why =
      this.#why ??
      new InferenceError("WORKER_CRASHED", this.#message(describeEnding(ending)), {
        model: this.#options.model,
        hint: "read the log for the reason",
      });
    const begun = this.#options.arena?.begunRequest();
    const unbegun: Flight[] = [];
    for (const flight of this.#flights.inOrder()) {
      if (begun !== undefined && (flight.id - begun) >> 0 > 0) unbegun.push(flight);
      else flight.reject(why);
    }
    this.#flights.clear();
    this.process.socket.destroy();
    this.#options.arena?.close();
    this.#options.onEnd(this, unbegun);
  }

  #loadFailure(ending: Ending): InferenceError {
    const { model } = this.#options;
    if (ending.spawnError !== undefined && isPassing(ending.spawnError)) {
      return new InferenceError(
        "MODEL_NOT_READY",
        `load the model "${model}": a process cannot be started now: ${ending.spawnError.message}`,
        {
          model,
          cause: ending.spawnError,
          hint: "raise the limits of files, processes and memory",
        },
      );
    }
    if (ending.spawnError?.code === "ENOENT") {
      return new InferenceError(
        "RUNTIME_MISSING",
        `load the model "${model}": the Python interpreter or the code folder does not exist`,
        { model, cause: ending.spawnError, hint: "install python3, or name the interpreter" },
      );
    }
    const last = this.process.stderrTail().trim().split("\n").at(-1) ?? "";
    return new InferenceError(
      "MODEL_LOAD_FAILED",
      this.#message(
        `${describeEnding(ending)} before it was ready${last === "" ? "" : `: ${last}`}`,
      ),
      { model, hint: "read the log for the reason" },
    );
  }

  #message(why: string): string {
    return `call the model "${this.#options.model}": the worker process failed: ${why}`;
  }
}
