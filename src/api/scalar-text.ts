/**
 * Numbers, truth values and times as people and other tools write them → values of a declared type. Pure.
 *
 * T1  No value depends on the machine: a time without an offset is UTC.
 * T2  What cannot be kept is refused and not rounded, moved or guessed: no 30 February, no integer beyond its
 *     type, no number that a double takes for infinite.
 * T3  What is written as text by `formatTimestamp` and `String` is read back as the same value.
 */

/** What is around a number or a time has no meaning; texts and bytes keep it. */
const trimmed = (text: string): string => {
  const first = text.charCodeAt(0);
  const last = text.charCodeAt(text.length - 1);
  return first <= 32 || last <= 32 ? text.trim() : text;
};

/** −2³¹ to 2³¹−1. */
export function parseInt32(text: string): number | undefined {
  const digits = trimmed(text);
  if (!integer.test(digits)) return undefined;
  const number = Number(digits);
  return (number | 0) === number ? number | 0 : undefined;
}

/** −(2⁵³−1) to 2⁵³−1. */
export function parseLong(text: string): number | undefined {
  const digits = trimmed(text);
  if (!integer.test(digits)) return undefined;
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number + 0 : undefined; // −0 is 0
}

/** Of 64 bits. */
export function parseInt64(text: string): bigint | undefined {
  const digits = trimmed(text);
  if (!integer.test(digits)) return undefined;
  // `BigInt` takes a minus and no plus.
  const value = BigInt(digits.startsWith('+') ? digits.slice(1) : digits);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

const integer = /^[+-]?\d+$/;
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Decimal digits, or one of the words that other tools write for what is no number. */
export function parseDouble(text: string): number | undefined {
  const written = trimmed(text);
  if (!decimal.test(written)) return specialDouble(written);
  const number = Number(written);
  return Number.isFinite(number) ? number : undefined; // T2
}

function specialDouble(text: string): number | undefined {
  switch (text.toLowerCase()) {
    case 'nan':
      return Number.NaN;
    case 'inf':
    case '+inf':
    case 'infinity':
    case '+infinity':
      return Number.POSITIVE_INFINITY;
    case '-inf':
    case '-infinity':
      return Number.NEGATIVE_INFINITY;
    default:
      return undefined;
  }
}

export function parseBoolean(text: string): boolean | undefined {
  switch (trimmed(text).toLowerCase()) {
    case 'true':
    case '1':
      return true;
    case 'false':
    case '0':
      return false;
    default:
      return undefined;
  }
}

/** Base64, of either alphabet, with or without padding. */
export function parseBytes(text: string): Uint8Array | undefined {
  return base64.test(text) ? new Uint8Array(Buffer.from(text, 'base64')) : undefined;
}

const base64 = /^(?:[\w+/-]{4})*(?:[\w+/-]{2}(?:==)?|[\w+/-]{3}=?)?$/;

const time =
  /^([+-]\d{6}|\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?: ?(Z|z|UTC|[+-]\d\d(?::?\d\d)?))?)?$/;

/**
 * Epoch milliseconds of an ISO 8601 date or time (`2024-01-31`, `2024-01-31 10:00:00.5`,
 * `2024-01-31T10:00:00+02`), or of a number that is itself epoch milliseconds. Below a millisecond is cut off,
 * towards the past, so that a time stays in its day. Digits that are a year, a month or a day (`2024`,
 * `202401`, `20240131`) are refused: whoever wrote them did not mean milliseconds.
 */
export function parseTimestamp(text: string): number | undefined {
  const written = trimmed(text);
  const parts = time.exec(written);
  if (parts !== null) return timeOf(parts);
  if (isCompactDate(written)) return undefined;
  return parseDouble(written);
}

/** As `parseTimestamp` reads it: epoch milliseconds, unless their digits look like a date. */
export function formatTimestamp(ms: number): string {
  const text = Object.is(ms, -0) ? '-0' : String(ms);
  return isCompactDate(text) ? new Date(ms).toISOString() : text;
}

function timeOf(parts: RegExpExecArray): number | undefined {
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = parts;
  const [y, mo, d] = [Number(year), Number(month), Number(day)];
  const [h, mi, s] = [Number(hour), Number(minute), Number(second)];
  if (!isDay(y, mo, d) || mi > 59 || s > 59 || year === '-000000') return undefined;
  // 24:00 is the end of a day, and nothing else of the hour 24 exists.
  if (h > 24 || (h === 24 && (mi > 0 || s > 0 || /[1-9]/.test(fraction)))) return undefined;
  const offset = offsetMinutes(zone);
  if (offset === undefined) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(y, mo - 1, d); // Not `Date.UTC`: it takes the year 24 for 1924.
  const ms = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const value = date.getTime() + ((h * 60 + mi - offset) * 60 + s) * 1000 + ms;
  return Math.abs(value) <= 8.64e15 ? value : undefined;
}

function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return day <= (month === 2 && isLeap ? 29 : daysOfMonth[month - 1]!);
}

const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Minutes east of Greenwich. */
function offsetMinutes(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z' || zone === 'z' || zone === 'UTC') return 0; // T1
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', ''));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/** Years from 1900 to 2199, alone or with month, day and time. */
function isCompactDate(text: string): boolean {
  const [, year, month = '01', day = '01', hour = '00', minute = '00', second = '00'] =
    compactDate.exec(text) ?? [];
  if (year === undefined) return false;
  return (
    isDay(Number(year), Number(month), Number(day)) &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60
  );
}

const compactDate = /^((?:19|20|21)\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(\d\d)(\d\d))?)?)?$/;
