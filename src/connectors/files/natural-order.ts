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
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const [left, right] = [numberAt(a, i), numberAt(b, j)];
    const areNumbers = left !== '' && right !== '';
    const order = areNumbers ? compareNumbers(left, right) : compareText(a[i]!, b[j]!);
    if (order !== 0) return order;
    i += areNumbers ? left.length : 1;
    j += areNumbers ? right.length : 1;
  }
  // 007 and 7 have the same value.
  return a.length - i - (b.length - j) || compareText(a, b);
}

/** The digits from `at` on. */
function numberAt(text: string, at: number): string {
  let end = at;
  while (text[end]! >= '0' && text[end]! <= '9') end++;
  return text.slice(at, end);
}

/** Of any length. */
function compareNumbers(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return left.length - right.length || compareText(left, right);
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
