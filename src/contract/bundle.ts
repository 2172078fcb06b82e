/** How an application bundle is known from other files: by its first line. */

/** Version of the application API that bundles are made for. */
export const API_VERSION = 1;

const format = /^\/\/ fctl application, API (\d{1,9})\n/;

/** The first line, without its end. */
export const BUNDLE_HEADER = `// fctl application, API ${API_VERSION}`;

/**
 * Where the modules of a bundle believe that they lie (`import.meta.url`): a path that is nowhere, and says why.
 */
export const NOT_SHIPPED = '/files-beside-modules-are-not-shipped';

/** More than the first line has. */
const headerBytes = 64;

/** @param start the first bytes of a file. @returns the API version; `null`: it is no bundle. */
export function bundleVersion(start: Uint8Array): number | null {
  const found = format.exec(Buffer.from(start.subarray(0, headerBytes)).toString('latin1'));
  return found === null ? null : Number(found[1]);
}
