/** Layers that are made of strings: `--set a.b=c` and environment variables. */
import { isCollection, isMap, isScalar, parseDocument } from 'yaml';
import { isArgument, keepNumberTexts } from './argument-texts.ts';
import { isConfigVariable } from '../contract/environment.ts';
import { type Problem, problem } from '../contract/errors.ts';
import type { JsonValue } from '../contract/json.ts';
import { nodeAt, rootNode } from './json-schema.ts';
import {
  type Layer,
  type Path,
  type Tree,
  isTree,
  mergeLayers,
  simpleLayer,
  valueAt,
} from './layer.ts';

export interface SetLayer {
  readonly layer: Layer;
  readonly problems: readonly Problem[];
}

/** `a.b=c` (`\.` is a dot in a key); later ones win. */
export function setLayer(set: readonly string[]): SetLayer {
  const problems: Problem[] = [];
  const layers = set.flatMap((entry) => {
    const [, name, value] = /^([^=]*)=(.*)$/s.exec(entry) ?? [];
    const path = (name ?? '').split(/(?<!\\)\./).map((part) => part.replaceAll('\\.', '.'));
    if (value === undefined || path.includes('')) {
      const message = `--set ${entry} is not of the form key=value`;
      const hint = 'for example --set taskmanager.slots=2';
      problems.push(problem({ code: 'set-malformed', message, hint }));
      return [];
    }
    return [simpleLayer(nest(path, parseValue(path, value)), `--set ${path.join('.')}`)];
  });
  return { layer: mergeLayers(layers), problems };
}

/**
 * `FCTL_TASKMANAGER__SLOTS=2`: two underscores go a level down; case and single underscores do not matter.
 * A variable counts when it has two underscores or names a top-level key, and is not empty.
 *
 * @param below the weaker layers: their keys are meant where the schema leaves keys open.
 */
export function environmentLayer(
  env: Readonly<Record<string, string | undefined>>,
  below: Tree,
): Layer {
  const entries = Object.entries(env).flatMap(([name, text]) => {
    if (!isConfigVariable(name) || !text) return [];
    const segments = name.slice('FCTL_'.length).split('__');
    const topLevel = findKey(Object.keys(rootNode.properties ?? {}), segments[0]!);
    if (segments.length === 1 && topLevel === undefined) return [];
    return [{ name, text, path: pathOf(segments, below) }];
  });
  // The more specific one wins, in whatever order the variables are.
  const ordered = entries.toSorted((a, b) => a.path.length - b.path.length);
  return mergeLayers(
    ordered.map(({ name, text, path }) => simpleLayer(nest(path, parseValue(path, text)), name)),
  );
}

const normalize = (name: string) => name.replaceAll('_', '').toLowerCase();

const findKey = (known: readonly string[], segment: string) =>
  known.find((key) => normalize(key) === normalize(segment));

function pathOf(segments: readonly string[], below: Tree): string[] {
  const path: string[] = [];
  for (const segment of segments) {
    const there = valueAt(below, path);
    const known = [
      ...Object.keys(nodeAt(path).properties ?? {}),
      ...(isTree(there) ? Object.keys(there) : []),
    ];
    path.push(findKey(known, segment) ?? camelCase(segment));
  }
  return path;
}

const camelCase = (segment: string) =>
  segment.toLowerCase().replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());

function nest(path: readonly string[], value: JsonValue): Tree {
  const [first, ...rest] = path;
  return { [first!]: rest.length === 0 ? value : nest(rest, value) };
}

/** `{date}` */
const hasKeysAlone = (node: unknown): boolean =>
  isMap(node) && node.items.length > 0 && node.items.every(({ value }) => value === null);

const isText = (value: unknown) => typeof value === 'string';

/**
 * YAML's scalars and flow collections: `3`, `true`, `[a, b]`, `{ a: 1 }`; everything else is text, and so are numbers
 * of `application.args` of which something would be lost.
 */
function parseValue(path: Path, text: string): JsonValue {
  const document = parseDocument(text, { prettyErrors: false });
  const { contents, errors } = document;
  const isWhole = contents?.range?.[0] === 0 && contents.range[1] === text.trimEnd().length;
  const isBlock = isCollection(contents) && contents.flow !== true;
  const isPlain = isScalar(contents) && contents.type === 'PLAIN' && isText(contents.value);
  if (errors.length > 0 || !isWhole || isBlock || isPlain) return text;
  if (isArgument(path)) {
    if (text === '~' || hasKeysAlone(contents)) return text;
    keepNumberTexts(contents, document);
  }
  try {
    const value = document.toJS() as JsonValue;
    return nodeAt(path).type === 'string' && !isText(value) ? text : value;
  } catch {
    // `*` begins an alias.
    return text;
  }
}
