/**
 * Arguments of a program, as Flink's clients give them, to those of an application, which are a JSON object:
 * either that object itself, or `--name value`, `--name=value` and `--flag`. A value that is JSON is taken
 * as such (`4`, `true`, `["a","b"]`), any other is text. Pure.
 */
import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { HttpError } from './http-error.ts';

/** Divides a line as Flink does: at spaces, but not between quotes, which are left out. */
export function splitArguments(line: string): string[] {
  if (line.trimStart().startsWith('{')) return [line];
  return Array.from(line.matchAll(/"([^"]*)"|'([^']*)'|\S+/g), ([word, double, single]) => {
    return double ?? single ?? word;
  });
}

/** @throws HttpError 400 */
export function parseArguments(words: readonly string[]): JsonObject {
  const [first, ...more] = words;
  if (first === undefined) return {};
  if (first.trimStart().startsWith('{')) return parseObject([first, ...more].join(' '));
  const named: [string, JsonValue][] = [];
  for (let i = 0; i < words.length; i++) {
    const { name, value } = parseName(words[i]!);
    const next = words[i + 1];
    if (value !== null) named.push([name, parseValue(value)]);
    else if (next === undefined || isName(next)) named.push([name, true]);
    else named.push([name, parseValue(words[++i]!)]);
  }
  return Object.fromEntries(named);
}

function parseObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse(`they are no JSON: ${(error as Error).message}`);
  }
  return value as JsonObject; // it begins with a brace
}

/** A number below zero is a value. */
const isName = (word: string) => /^--?[A-Za-z_]/.test(word);

function parseName(word: string): { readonly name: string; readonly value: string | null } {
  const [, name, value = null] = /^--?([A-Za-z_][^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  if (name === undefined) throw refuse(`'${word}' stands where a name such as --input is expected`);
  return { name, value };
}

function parseValue(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

const refuse = (why: string) =>
  new HttpError(
    400,
    `The program arguments must be a JSON object, or of the form --name value: ${why}.`,
  );
