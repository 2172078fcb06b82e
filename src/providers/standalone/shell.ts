/** Commands for the POSIX shell of a host; used only until a Node.js of ours is there. */

/** One word, whatever is in it. */
export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A script for `sh`, whatever the user's login shell is. */
export const script = (text: string): string => `exec sh -c ${quote(text)}`;

/** A folder on the host as a word of the shell: `~/` is the user's home there. */
export function folderWord(dir: string): string {
  if (dir === '~') return '"$HOME"';
  return dir.startsWith('~/') ? `"$HOME"/${quote(dir.slice(2))}` : quote(dir);
}
