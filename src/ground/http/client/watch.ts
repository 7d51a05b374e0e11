/** One timer that guards whatever is being waited for now. */
export interface Watch {
  /** Starts to wait for `what`; the wait before it is over. */
  expect(what: string, limitMs: number): void;
  /** Something moved: the present wait starts anew. */
  refresh(): void;
  /** Nothing is being waited for. */
  rest(): void;
  /** Nothing will be waited for any more. */
  end(): void;
}

/** `onExpired` is told what was waited for, in words. */
export function createWatch(onExpired: (why: string) => void): Watch {
  let timer: NodeJS.Timeout | undefined;
  let isEnded = false;
  return {
    expect(what, limitMs) {
      clearTimeout(timer);
      if (isEnded) return;
      timer = setTimeout(() => onExpired(`${what} for ${limitMs} ms`), limitMs);
    },
    refresh: () => void timer?.refresh(),
    rest() {
      clearTimeout(timer);
      timer = undefined;
    },
    end() {
      clearTimeout(timer);
      isEnded = true;
    },
  };
}
