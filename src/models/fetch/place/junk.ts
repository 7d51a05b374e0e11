const JUNK = /(?:^|\/)(?:__MACOSX(?:\/|$)|\.DS_Store$|\._[^/]*$|Thumbs\.db$|desktop\.ini$)/;

/** True for what macOS and Windows add to archives: it is no part of a model. @param path - parts joined by `/` */
export function isJunk(path: string): boolean {
  return JUNK.test(path);
}
