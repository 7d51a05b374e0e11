/** What names the base when the user does not. */
export const BASE_SOURCES = ["catalogue", "debian", "vendor"] as const;

export type UaiBaseSource = (typeof BASE_SOURCES)[number];

export const UAI_SERVERS = ["gunicorn", "slipway"] as const;

/** What answers in the image: the server that the vendor's bases bring, or ours. */
export type UaiServer = (typeof UAI_SERVERS)[number];

/** What may run a packed image before it goes anywhere; `none` is a plain process of this machine. */
export const TEST_ENGINES = ["docker", "podman", "none"] as const;

export type TestEngine = (typeof TEST_ENGINES)[number];
