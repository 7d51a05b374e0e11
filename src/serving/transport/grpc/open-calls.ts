import type { GrpcCall } from "./grpc-call.ts";

/**
 * The calls that are under way, in places that are used again. A `Set` through which every call goes leaves its old tables to the collector
 * of all memory, and each of them holds the calls that were in it.
 */
export class OpenCalls implements Iterable<GrpcCall> {
  readonly #places: (GrpcCall | undefined)[] = [];
  readonly #free: number[] = [];

  add(call: GrpcCall): void {
    const place = this.#free.pop() ?? this.#places.length;
    this.#places[place] = call;
    call.place = place;
  }

  /** Does nothing for a call that was never added. */
  delete(call: GrpcCall): void {
    const { place } = call;
    if (place === undefined || this.#places[place] !== call) return;
    this.#places[place] = undefined;
    this.#free.push(place);
  }

  *[Symbol.iterator](): Generator<GrpcCall> {
    for (const call of this.#places) if (call !== undefined) yield call;
  }
}
