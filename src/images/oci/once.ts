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
      // Whoever asked gets the failure; here it is only forgotten, so that the next one tries again.
      attempt.catch(() => {
        if (answer === attempt) answer = undefined;
      });
    }
    return answer;
  };
}
