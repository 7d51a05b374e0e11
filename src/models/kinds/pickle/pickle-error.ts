/** Thrown for bytes that are no pickle; callers turn it into an error that names the file. */
export class PickleError extends Error {}
