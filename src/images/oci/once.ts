import type { CallOptions } from "../../ground/bytes/index.ts";

/** Remembers the first answer that came well; a failed call may be repeated. */
export function once<T>(
  call: (options?: CallOptions) => Promise<T>,
): (options?: CallOptions) => Promise<T> {
  let answer: Promise<T> | undefined;
  return (options) => {
    if (answer === undefined) {
      const attempt = call(options);
      answer = attempt;
      attempt.catch(() => {
        if (answer === attempt) answer = undefined;
      });
    }
    return answer;
  };
}
