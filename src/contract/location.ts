/**
 * Locations: how users name files and folders. Pure.
 *
 *     ./in/part-*.csv    relative to the folder of the config
 *     /data/in           absolute
 *     ~/in               below the home of whoever runs the process
 *     file:///data/a%20b an address of this machine: percent-encoded, as addresses are
 *     s3://bucket/in     an address of another file system
 *
 * L1  An address begins with a scheme of at least two characters, a colon and a slash, or with `file:`.
 *     Everything else is a path, and every character of a path means itself: `log:1.txt` is a file.
 */

export type Location =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'home'; readonly below: string }
  | { readonly kind: 'address'; readonly scheme: string }
  | { readonly kind: 'invalid'; readonly why: string };

/** What a text means. `why` is a sentence without a subject: `is empty`. */
export function parseLocation(text: string): Location {
  if (text.trim() === '') return invalid('is empty');
  if (text.includes('\0')) return invalid('has a character of code 0, which no path may have');
  const scheme = schemeOf(text); // L1
  if (scheme === 'file') return parseFileAddress(text.slice('file:'.length));
  if (scheme !== null) return { kind: 'address', scheme };
  if (text === '~' || text.startsWith('~/')) return { kind: 'home', below: text.slice(2) };
  if (/^~[a-z_][a-z0-9_-]*(?:\/|$)/.test(text)) {
    return invalid(
      "names the home of another user, which is not looked up: give its path, or './~…' for a file of that name",
    );
  }
  return { kind: 'path', path: text };
}

const invalid = (why: string): Location => ({ kind: 'invalid', why });

function schemeOf(text: string): string | null {
  return /^([a-z][a-z0-9+.-]+):(?=\/)|^(file):/i.exec(text)?.[0].slice(0, -1).toLowerCase() ?? null;
}

/** Not by `URL`: it takes `?` and `#` for the end of the path, and they are common in names of files. */
function parseFileAddress(rest: string): Location {
  const path = rest.replace(/^\/\/(?:localhost)?(?=\/)/i, '');
  if (/^\/\/[^/]/.test(path)) {
    return invalid("names another machine; 'file:' has the files of this one: file:///a/path");
  }
  if (!/^\/(?!\/)/.test(path)) return invalid("needs an absolute path: 'file:///a/path'");
  try {
    return { kind: 'path', path: decodeURIComponent(path) };
  } catch {
    return invalid("has a '%' that begins no encoded character: write '%25' for a percent sign");
  }
}
