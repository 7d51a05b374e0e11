export {
  chooseRow,
  flagsOfRow,
  mapBases,
  mergeCatalogues,
  namesIn,
  type RowChoice,
  type WantedRow,
} from "./choose-row.ts";
export { ROW_FRAMEWORKS, type Catalogue, type CatalogueRow, type Recipe } from "./contracts.ts";
export { OWN_CATALOGUE_PATH, ownCatalogue } from "./own-catalogue.ts";
export { parseCatalogue } from "./parse-catalogue.ts";
export {
  knownRegistries,
  nameInRegistry,
  parseRegistryHosts,
  switchRegistryHost,
  UAI_REGISTRY,
  type RegistryHosts,
  type RegistrySide,
} from "./registry-hosts.ts";
export { debianOfRow, type RowDebian } from "./debian-of-row.ts";
