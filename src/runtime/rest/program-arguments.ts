/**
 * Arguments of a program, as Flink's clients give them, to those of an application, which are a JSON object:
 * either that object itself, or `--name value`, `--name=value` and `--flag`. A value is a number or `true` and
 * `false` where nothing of its text is lost, or JSON in brackets, braces or quotes; any other is text, and so is a
 * number where the job declares text. Pure.
 *
 * A value may begin with a dash: behind `=`, in quotes, as a number below zero, and with one dash behind a name
 * that has two, in a list. `--a --b` are two flags.
 */
import { isExactNumber, parseExactJson } from '../../contract/exact-json.ts';
import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { HttpError } from './http-error.ts';

export interface Word {
  readonly text: string;
  /** It is a value, whatever it looks like. */
  readonly isQuoted: boolean;
}

/**
 * Divides a line as Flink does, at blanks, but not between quotes, which are left out. Quotes are around a word or,
 * behind `--name=`, around a value; elsewhere they are letters. `\"` is a quote within quotes.
 */
export function splitArguments(line: string): Word[] {
  if (line.trimStart().startsWith('{')) return [{ text: line, isQuoted: false }];
  const words = line.matchAll(
    /(--?[A-Za-z_][^\s="']*=)?(?:"((?:[^"\\]|\\.)*)"|"([^"]*)"|'([^']*)')(?=\s|$)|\S+/gs,
  );
  return Array.from(words, ([word, name = '', escaped, double, single]) => {
    const quoted = escaped?.replaceAll(String.raw`\"`, '"') ?? double ?? single;
    if (quoted === undefined) return { text: word, isQuoted: false };
    return { text: name + quoted, isQuoted: name === '' };
  });
}

/** @param words of a line, or a list of texts. @throws HttpError 400 */
export function parseArguments(words: readonly (Word | string)[]): JsonObject {
  const texts = words.map((word) => (typeof word === 'string' ? word : word.text));
  const [first] = texts;
  if (first === undefined) return {};
  if (first.trimStart().startsWith('{')) return parseObject(texts.join(' '));
  const named: [string, JsonValue][] = [];
  for (let i = 0; i < texts.length; i++) {
    const { name, value } = parseName(texts[i]!);
    const next = words[i + 1];
    if (value !== null) named.push([name, parseValue(value)]);
    else if (next === undefined || isName(next, texts[i]!)) named.push([name, true]);
    else named.push([name, parseValue(texts[++i]!)]);
  }
  return Object.fromEntries(named);
}

function parseObject(text: string): JsonObject {
  try {
    return parseExactJson(text) as JsonObject; // it begins with a brace
  } catch (error) {
    throw refuse(`they are no JSON: ${(error as Error).message}`);
  }
}

/** Whether a word begins another argument, and is not the value of the name before it. */
function isName(word: Word | string, before: string): boolean {
  if (typeof word !== 'string') return !word.isQuoted && /^--?[A-Za-z_]/.test(word.text);
  return (before.startsWith('--') ? /^--[A-Za-z_]/ : /^--?[A-Za-z_]/).test(word);
}

function parseName(word: string): { readonly name: string; readonly value: string | null } {
  const [, name, value = null] = /^--?([A-Za-z_][^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  if (name === undefined) throw refuse(`'${word}' stands where a name such as --input is expected`);
  return { name, value };
}

function parseValue(text: string): JsonValue {
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^-?\d/.test(text) && isExactNumber(Number(text), text)) return Number(text);
  if (!/^\s*["[{]/.test(text)) return text;
  try {
    return parseExactJson(text);
  } catch {
    return text;
  }
}

const refuse = (why: string) =>
  new HttpError(
    400,
    `The program arguments must be a JSON object, or of the form --name value: ${why}.`,
  );
