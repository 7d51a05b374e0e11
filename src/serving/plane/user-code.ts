/** How user code is run and its answers written, whatever the language. Runtimes and protocols read them from here. */
export interface UserCodeSettings {
  /** `SELDON_STRICT_COMPAT=1`: every quirk of the wrapper that a client could see. */
  readonly isStrict: boolean;
  /** `SLIPWAY_TYPED_ARRAYS=1`: numbers beside text in one array stay numbers, in an object array. In the wrapper, and by default, all become text. */
  readonly hasTypedArrays: boolean;
  /** `FLASK_JSON_SORT_KEYS`: keys in JSON that user code returns are put in order. */
  readonly sortKeys: boolean;
  /** `FLASK_JSON_AS_ASCII`: characters beyond ASCII are escaped. */
  readonly asciiOnly: boolean;
  /** Name of a level of Python's `logging`, such as `INFO`. */
  readonly logLevel: string;
  /** Calls of user code at the same time in one worker, for code that waits for something else; with more than one, rows are not joined. */
  readonly threads: number;
}

/** What holds for a setting that nobody gives. */
export const USER_CODE_DEFAULTS: UserCodeSettings = {
  isStrict: false,
  hasTypedArrays: false,
  sortKeys: true,
  asciiOnly: true,
  logLevel: "INFO",
  threads: 1,
};
