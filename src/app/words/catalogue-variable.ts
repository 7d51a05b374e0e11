/** Variable that names a file with catalogue rows of the user's own, when no flag does. */
export const CATALOGUE_VARIABLE = "SLIPWAY_CATALOGUE";
