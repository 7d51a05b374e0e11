// Programs that several commands call.
import type { Need } from "./option.ts";

/** Wheels for images. */
export const RESOLVER: Need = {
  programs: ["uv", "python3"],
  what: "resolves Python requirements for images; a model without any does without",
};

/** Containers of this machine. */
export const ENGINE_NEED: Need = {
  programs: ["docker", "podman"],
  what: "runs images on this machine",
};

/** User code on this machine. */
export const PYTHON: Need = {
  programs: ["python3"],
  what: "serves Python code on this machine; images bring their own",
};

/** A cluster. */
export const KUBECTL: Need = {
  programs: ["kubectl"],
  what: "hands objects to a cluster, with --apply; printing them does without",
};
