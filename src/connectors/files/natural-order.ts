/** The order of paths that people expect: folder by folder, numbers by their value, part-2 before part-10. */

/** Total and the same everywhere: paths that differ are never equal. */
export function compareNaturally(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const order = compareNames(left[i]!, right[i]!);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareNames(a: string, b: string): number {
  const [left, right] = [a.match(runs) ?? [], b.match(runs) ?? []];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const order = compareRuns(left[i]!, right[i]!);
    if (order !== 0) return order;
  }
  // 007 and 7 have the same value.
  return left.length - right.length || compareText(a, b);
}

const runs = /\d+|\D+/g;

function compareRuns(a: string, b: string): number {
  if (!isNumber(a) || !isNumber(b)) return compareText(a, b);
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return left.length - right.length || compareText(left, right);
}

const isNumber = (run: string) => run >= '0' && run < ':';

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
