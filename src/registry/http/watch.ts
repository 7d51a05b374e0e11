/** One timer that guards whatever is being waited for now. */
export interface Watch {
  /** Starts to wait for `what`; the wait before it is over. */
  expect(what: string, limitMs: number): void;
  /** Something moved: the present wait starts anew. */
  refresh(): void;
  /** Nothing is being waited for. */
  rest(): void;
}

/** `onExpired` is told what was waited for, in words. */
export function createWatch(onExpired: (why: string) => void): Watch {
  let timer: NodeJS.Timeout | undefined;
  return {
    expect(what, limitMs) {
      clearTimeout(timer);
      timer = setTimeout(() => onExpired(`${what} for ${limitMs} ms`), limitMs);
    },
    refresh: () => void timer?.refresh(),
    rest() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
