/** Linux's signals by name, with the spellings that Docker knows. @see moby/sys, signal/signal_linux.go */
const NAMES = new Set(
  (
    "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN " +
    "TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX"
  ).split(" "),
);
const REAL_TIME = /^RTM(?:IN\+([1-9]|1[0-5])|AX-([1-9]|1[0-4]))$/;

/** True for what `STOPSIGNAL` takes: a number other than 0, or a name with or without `SIG`, in any case. */
export function isStopSignal(text: string): boolean {
  if (/^[-+]?\d+$/.test(text)) return Number(text) !== 0;
  const name = text.toUpperCase().replace(/^SIG/, "");
  return NAMES.has(name) || REAL_TIME.test(name);
}
