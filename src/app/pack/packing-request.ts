/** What every request that packs a folder may say of what goes in. */
export interface PackingRequest {
  /** Patterns of files that may go in though they look like secrets. */
  readonly allowSecrets?: readonly string[] | undefined;
  /** Shared libraries that Python packages may miss. */
  readonly allowMissingLibraries?: readonly string[] | undefined;
  /** Index of Python packages. Default: the resolver's own. */
  readonly indexUrl?: string | undefined;
  /** Folders and pages with wheels. */
  readonly findLinks?: readonly string[] | undefined;
}

/** What the old tools' commands say beside their own flags: an image for inference or images for training, on a known base. */
export interface OldToolRequest extends PackingRequest {
  /** Of the account in the flags, when it is not there; comes before all others at the image's registry. */
  readonly password?: string | undefined;
  /** Default true. */
  readonly isPush?: boolean | undefined;
  /** Default `linux/amd64`. */
  readonly platform?: string | undefined;
  /** File with rows of the user's own. */
  readonly catalogue?: string | undefined;
  /** Packs a copy of the folder, `NAME-py3` beside it, whose Python files were made Python 3. Default false. */
  readonly isConverted?: boolean | undefined;
  /** Debian packages, `NAME` or `NAME=VERSION`; the base must say what it has. */
  readonly apt?: readonly string[] | undefined;
  /** Further indexes; they take the place of those that a known release brings. */
  readonly extraIndexUrls?: readonly string[] | undefined;
}
