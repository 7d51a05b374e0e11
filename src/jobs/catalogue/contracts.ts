/** What rows of the catalogue are for, by the names that the old tools' modes have. */
export const ROW_FRAMEWORKS = [
  "tf",
  "caffe",
  "keras",
  "mxnet",
  "pytorch",
  "onnx",
  "sklearn",
  "xgboost",
] as const;

/** `inference` is `packdocker`, `training` is `train pack`. */
export const PURPOSES = ["inference", "training"] as const;

export type Purpose = (typeof PURPOSES)[number];

/** What an image computes on. */
export type Processor = "cpu" | "gpu";

/** How an image with a framework comes about: a base, and Python packages on top of it. */
export interface Recipe {
  /** A registry's reference or a place such as `store:NAME`; `{python}` in it stands for the version, such as 3.12. */
  readonly base: string;
  /** Lines of a requirements file; none for a base that has the framework. */
  readonly requirements: readonly string[];
  readonly extraIndexUrls: readonly string[];
  /** Debian packages that the wheels need. */
  readonly apt: readonly string[];
}

/** What wheels ask of graphics cards. Capabilities as numbers: 8.6 for sm_86. */
interface CudaNeeds {
  readonly version: string;
  /** Oldest and newest card that the wheels have code for. */
  readonly capabilities: readonly [number, number];
}

/** One version of a framework and what its images stand on. */
export interface CatalogueRow {
  /** One of `ROW_FRAMEWORKS`. */
  readonly framework: string;
  /** As in `--ai_arch_v`. */
  readonly name: string;
  readonly purposes: readonly Purpose[];
  /** Such as `ubuntu-16.04`; absent where it does not matter. */
  readonly os?: string;
  /** Such as `python-3.12`, the usual one first; empty where it does not matter. */
  readonly pythons: readonly string[];
  /** True for images that only the vendor's account can get: known, and never used by themselves. */
  readonly isClosed: boolean;
  readonly recipes: Readonly<Partial<Record<Processor, Recipe>>>;
  readonly cuda?: CudaNeeds;
}

/** Rows in the order in which they are looked at: the user's own before ours. */
export interface Catalogue {
  readonly rows: readonly CatalogueRow[];
}
