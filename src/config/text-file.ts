/** YAML and JSON as a layer, with the position of every key and value. */
import { basename } from 'node:path';
import {
  type Document,
  LineCounter,
  type Node,
  type YAMLError,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  visit,
} from 'yaml';
import { type Problem, problem } from '../contract/errors.ts';
import type { ConfigFile } from './find.ts';
import { keepNumberTexts } from './argument-texts.ts';
import { type FileLayer, type Origin, type Part, type Path, isTree, pointer } from './layer.ts';

type PositionAt = (offset: number) => { readonly line: number; readonly column: number };

/** JSON is read as the YAML that it is, so that it gets positions and all its errors too. */
export function textLayer({ file, text: content }: ConfigFile): FileLayer {
  const text = content.replace(/^\uFEFF/, ''); // No editor counts a byte order mark as a column.
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const positionAt: PositionAt = (offset) => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const duplicates = document.errors.filter(isDuplicate);
  const fatal = [
    ...[...document.errors.filter((e) => !isDuplicate(e)), ...document.warnings].map((error) => ({
      message: firstSentence(error.message),
      offset: error.pos[0],
    })),
    ...unresolvedAliases(document),
  ];
  const problems = [
    ...fatal.map(({ message, offset }) =>
      problem({ code: 'syntax', message, file, ...positionAt(offset) }),
    ),
    ...duplicates.map((error) => duplicateKey(error, text, file, positionAt)),
  ];
  if (fatal.length > 0) return { layer: null, problems };
  return readValues(document, file, positionAt, problems);
}

/** The values can be told all the same. */
const isDuplicate = (error: YAMLError) => error.code === 'DUPLICATE_KEY';

function duplicateKey(
  error: YAMLError,
  text: string,
  file: string,
  positionAt: PositionAt,
): Problem {
  const key = /^("[^"\n]*"|'[^'\n]*'|[^\s:]+)/.exec(text.slice(error.pos[0]))?.[0] ?? '';
  return problem({
    code: 'duplicate-key',
    message: `the key ${key} is there twice`,
    file,
    ...positionAt(error.pos[0]),
    hint: 'remove one of the two',
  });
}

/** Without the parser's advice to programmers. */
const firstSentence = (message: string) => message.split(';')[0]!;

function unresolvedAliases(document: Document): { message: string; offset: number }[] {
  const found: { message: string; offset: number }[] = [];
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) !== undefined) return;
      const message = `there is no anchor '&${alias.source}' above (text that begins with * needs quotes)`;
      found.push({ message, offset: alias.range?.[0] ?? 0 });
    },
  });
  return found;
}

function readValues(
  document: Document,
  file: string,
  positionAt: PositionAt,
  problems: Problem[],
): FileLayer {
  const inPackage = basename(file) === 'package.json';
  const root: Path = inPackage ? ['fctl'] : [];
  const contents = inPackage ? document.get('fctl', true) : document.contents;
  let values: unknown;
  keepTextsOfArguments(contents, document);
  try {
    const all: unknown = document.toJS();
    values = (inPackage && isTree(all) ? all['fctl'] : all) ?? {};
  } catch (error) {
    // Aliases that multiply without end.
    const { message } = error as Error;
    return { layer: null, problems: [...problems, problem({ code: 'syntax', message, file })] };
  }
  if (!isTree(values)) {
    const message = 'a configuration is an object: keys with values';
    const at = positionAt((contents as Node | null)?.range?.[0] ?? 0);
    return {
      layer: null,
      problems: [...problems, problem({ code: 'syntax', message, file, ...at })],
    };
  }
  const positions = positionsOf(document, positionAt);
  const locate = (path: Path, part: Part) => find(file, positions, [...root, ...path], part);
  return { layer: { values, locate }, problems };
}

function keepTextsOfArguments(contents: unknown, document: Document): void {
  const below = (node: unknown, key: string): unknown => {
    const found = isMap(node) ? node.get(key, true) : undefined;
    return isAlias(found) ? found.resolve(document) : found;
  };
  const overlays = below(contents, 'environments');
  const all = [contents, ...(isMap(overlays) ? overlays.items.map(({ value }) => value) : [])];
  for (const one of all) keepNumberTexts(below(below(one, 'application'), 'args'), document);
}

type Positions = ReadonlyMap<string, ReturnType<PositionAt>>;

/** Of every key and, where it is no object or list, its value. */
function positionsOf(document: Document, positionAt: PositionAt): Positions {
  const positions = new Map<string, ReturnType<PositionAt>>();
  const mark = (path: Path, part: Part, node: unknown) => {
    const { range } = node as Node;
    if (range) positions.set(part + pointer(path), positionAt(range[0]));
  };
  const walk = (node: unknown, path: Path): void => {
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        const at = [...path, isScalar(key) ? String(key.value) : String(key)];
        mark(at, 'key', key);
        mark(at, 'value', isScalar(value) || isAlias(value) ? value : key);
        walk(value, at);
      }
    } else if (isSeq(node)) {
      for (const [index, item] of node.items.entries()) {
        mark([...path, index], 'value', item);
        walk(item, [...path, index]);
      }
    }
  };
  if (document.contents) mark([], 'value', document.contents);
  walk(document.contents, []);
  return positions;
}

function find(file: string, positions: Positions, path: Path, part: Part): Origin {
  const exact = positions.get(part + pointer(path));
  let found = exact;
  for (let length = path.length; found === undefined && length >= 0; length--) {
    found = positions.get(`value${pointer(path.slice(0, length))}`);
  }
  const place = found ? `:${found.line}:${found.column}` : '';
  return {
    text: `file ${basename(file)}${place}`,
    file,
    line: found?.line ?? null,
    column: found?.column ?? null,
    prefix: [],
  };
}
