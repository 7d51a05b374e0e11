// Options that several commands have.
import { choice, flag, parsedEach, text, texts } from "./kinds.ts";
import type { Option } from "./option.ts";

type Text = Option<string | undefined>;
type Texts = Option<readonly string[] | undefined>;

/** Names of images as every command that reads one takes them. */
export const IMAGE_HELP =
  "store:NAME | HOST/REPOSITORY | oci:DIR | oci-archive:FILE | docker-archive:FILE | docker-daemon:REF | podman:REF";

export const CODE: Text = text("--code <file:class>", "the user class, such as Model.py:Model");

export const MODEL: Text = text("--model <path>", "the model file or folder");

export const SERVICE_TYPE: Text = text(
  "--service-type <type>",
  "MODEL, ROUTER, TRANSFORMER, COMBINER or OUTLIER_DETECTOR",
);

export const ENGINE: Option<"docker" | "podman" | undefined> = choice(
  "--engine <name>",
  "use this engine (default: the one that answers, docker first)",
  ["docker", "podman"],
);

/** Where else a made image goes. */
export const OUTPUTS: Texts = texts(
  "-o, --output <type=path>",
  "also write oci=DIR, oci-archive=FILE, docker-archive=FILE, docker-daemon=NAME or podman=NAME",
);

/** What packing reads; each may stand under a title of its own. */
export const PACKING = {
  allowPickle: (heading?: string): Texts =>
    texts(
      "--allow-pickle <name>",
      "class or function, as MODULE.NAME, that pickles may import; may come more than once",
      { heading },
    ),
  allowSecrets: (heading?: string): Texts =>
    texts(
      "--allow-secret <pattern>",
      "let files that match into the image though they look like secrets",
      { heading },
    ),
  allowMissingLibraries: (heading?: string): Texts =>
    texts(
      "--allow-missing-library <name>",
      "shared library, such as libgomp.so.1, that Python packages may miss; may come more than once",
      { heading },
    ),
  findLinks: (heading?: string): Texts =>
    texts("--find-links <place>", "folder or page with wheels; may come more than once", {
      heading,
    }),
  isConverted: (heading?: string): Option<true | undefined> =>
    flag(
      "--convert-py2",
      "write a copy of the folder, NAME-py3, with Python 2 made Python 3 (by fissix, with uv), and pack that",
      { heading },
    ),
  extraIndexUrls: (heading?: string): Texts =>
    texts(
      "--extra-index-url <url>",
      "another one, in the place of the known release's own; may come more than once",
      { heading },
    ),
  indexUrl: (heading?: string): Text =>
    text("--index-url <url>", "Python package index", { heading }),
} as const;

/** Several platforms, each for an image of its own. */
export const PLATFORMS: Texts = parsedEach(
  "--platform <os/arch>",
  "linux/amd64 (default), linux/arm64, or both with a comma between them",
  (value) => value.split(","),
);
