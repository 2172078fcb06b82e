/** Everything that is wrong with a merged configuration. */
import { accessSync, constants, statSync } from 'node:fs';
import type { z } from 'zod';
import type { JsonValue } from '../contract/json.ts';
import { parseDurationMs } from '../contract/units.ts';
import { explainIssue } from './explain.ts';
import type { Finding } from './finding.ts';
import { nodeAt } from './json-schema.ts';
import { type Path, type Tree, isTree, pointer, valueAt } from './layer.ts';
import { notYet } from './not-yet.ts';
import { resolvePath } from './paths.ts';
import { sectionOf } from './providers/sections.ts';
import { checkReporters } from './check-reporters.ts';
import { hasReference } from './references.ts';
import { isNameOfSecret, isSecretName } from './secret-names.ts';
import { type ParsedConfig, configSchema, overlaySchema } from './schema.ts';

export interface CheckOptions {
  /** Relative paths are relative to it. */
  readonly folder: string;
  readonly requireApplication: boolean;
  /** JSON pointers of values that must not be told. */
  readonly secrets: ReadonlySet<string>;
  /** JSON pointers of values about which everything is said already. */
  readonly failed: ReadonlySet<string>;
}

export interface Checked {
  /** `null` when there are errors. */
  readonly parsed: ParsedConfig | null;
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** Checks beyond the schema run apart from it, so that one wrong field does not hide them. */
export function checkConfig(values: Tree, options: CheckOptions): Checked {
  const result = configSchema.safeParse(values, { reportInput: true });
  const errors = explainIssues(result.error?.issues ?? [], options);
  const said = new Set([...options.failed, ...errors.map(({ path }) => pointer(path))]);
  const more = [
    ...checkSupported(values, options),
    ...checkEntry(values, options),
    ...checkNode(values, options),
    ...checkHeartbeat(values),
    ...checkBackoff(values),
    ...checkReporters(values),
    ...checkOpenAccess(values, options),
    ...checkProvider(values),
    ...checkEnvironments(values, options),
  ];
  errors.push(...more.filter(({ path }) => !said.has(pointer(path))));
  const remaining = errors.filter(({ path }) => !options.failed.has(pointer(path)));
  return {
    parsed: result.success ? result.data : null,
    errors: remaining,
    warnings: checkExposure(values),
  };
}

/**
 * What is wrong as far as it can be told while not all references are resolved. Checks of what would be
 * deployed are left out: nothing is.
 */
export function checkChoice(values: Tree, options: CheckOptions): Finding[] {
  const { error } = configSchema.safeParse(values, { reportInput: true });
  // What an unresolved reference stands for may be right.
  const issues = (error?.issues ?? []).filter((issue) => !hasReference(issue.input));
  const errors = explainIssues(issues, options);
  const said = new Set([...options.failed, ...errors.map(({ path }) => pointer(path))]);
  const more = [...checkSupported(values, options), ...checkProvider(values)];
  errors.push(...more.filter(({ path }) => !said.has(pointer(path))));
  return errors.filter(
    ({ path }) => !options.failed.has(pointer(path)) && !hasReference(valueAt(values, path)),
  );
}

const explainIssues = (issues: readonly z.core.$ZodIssue[], { secrets }: CheckOptions) =>
  issues.flatMap((issue) =>
    explainIssue(issue, (path) => secrets.has(pointer(path)) || isSecretName(path)),
  );

/** Overlays that were not chosen, so that a mistake in one is found before it is needed. */
export function checkOverlays(
  environments: JsonValue | undefined,
  chosen: string | null,
): Finding[] {
  const path = ['environments'];
  if (environments === undefined) return [];
  if (!isTree(environments)) {
    const message = 'must be an object: names of environments, each with its overlay';
    return [{ code: 'invalid-value', message, path, part: 'value', hint: null }];
  }
  return Object.entries(environments).flatMap(([name, overlay]) => {
    // The chosen one is checked as a part of the whole.
    if (name === chosen && isTree(overlay)) return [];
    const { error } = overlaySchema.safeParse(overlay, { reportInput: true });
    // References of this one are not resolved: nobody asked for it.
    const issues = (error?.issues ?? []).filter((issue) => !hasReference(issue.input));
    return issues.flatMap((issue) => explainIssue(issue, isSecretName, [...path, name]));
  });
}

function checkSupported(values: Tree, { secrets }: CheckOptions): Finding[] {
  return notYet.flatMap(({ key, works, what }) =>
    valuesOf(values, key.split('.')).flatMap(({ path, value }) => {
      if (works.some((working) => working === value)) return [];
      const isShown = typeof value === 'string' && !secrets.has(pointer(path));
      return [
        {
          code: 'not-supported-yet',
          message: `this version of fctl has no ${what ?? (isShown ? `${key} '${value}'` : key)} yet`,
          path,
          part: 'value' as const,
          hint: works.length > 0 ? `use '${works.map(String).join("' or '")}'` : `remove '${key}'`,
        },
      ];
    }),
  );
}

/** Everything that a key stands for: of a list, that of each entry. */
function valuesOf(
  value: JsonValue | undefined,
  keys: Path,
  path: Path = [],
): { readonly path: Path; readonly value: JsonValue }[] {
  if (value === undefined) return [];
  const [key, ...rest] = keys;
  if (key === undefined) return [{ path, value }];
  if (Array.isArray(value)) {
    return value.flatMap((one, index) => valuesOf(one, keys, [...path, index]));
  }
  return isTree(value) ? valuesOf(value[key], rest, [...path, key]) : [];
}

function checkEntry(values: Tree, options: CheckOptions): Finding[] {
  // Verbs that only look at clusters need no application.
  if (!options.requireApplication) return [];
  if (valueAt(values, ['application']) === undefined) {
    return [
      {
        code: 'missing',
        message: "'application' is missing",
        path: ['application'],
        part: 'value',
        hint: 'add application.entry, the file that defines the jobs',
      },
    ];
  }
  const path = ['application', 'entry'];
  const entry = valueAt(values, path);
  if (typeof entry !== 'string') return [];
  const file = resolvePath(options.folder, entry);
  const there = statSync(file, { throwIfNoEntry: false });
  if (there?.isFile()) return [];
  const what = there === undefined ? 'does not exist' : 'is not a file';
  const shown = options.secrets.has(pointer(path)) ? '' : ` ${file}`;
  return [
    {
      code: 'entry-missing',
      message: `the entry file${shown} ${what}`,
      path,
      part: 'value',
      hint: there?.isDirectory()
        ? 'name the file in this folder that defines the jobs'
        : 'the path is relative to the config file',
    },
  ];
}

function checkNode(values: Tree, options: CheckOptions): Finding[] {
  const path = ['runtime', 'node'];
  const node = valueAt(values, path);
  if (typeof node !== 'string') return [];
  const file = resolvePath(options.folder, node);
  const shown = options.secrets.has(pointer(path)) ? '' : ` ${file}`;
  const wrong = (what: string, hint: string): Finding[] => [
    { code: 'node-missing', message: `the file${shown} ${what}`, path, part: 'value', hint },
  ];
  const there = statSync(file, { throwIfNoEntry: false });
  if (!there?.isFile()) {
    const what = there === undefined ? 'does not exist' : 'is not a file';
    return wrong(what, 'the path is relative to the config file');
  }
  try {
    accessSync(file, constants.X_OK);
    return [];
  } catch {
    return wrong('is not executable', 'name the executable of Node.js, which is called node');
  }
}

/** A spec of processes holds their environment in clear, and so do the record and plans. */
function checkEnvironments(values: Tree, { secrets }: CheckOptions): Finding[] {
  return ['jobmanager', 'taskmanager'].flatMap((role) => {
    const section = [role, 'environment'];
    const variables = valueAt(values, section);
    return Object.keys(isTree(variables) ? variables : {}).flatMap((name): Finding[] => {
      const path = [...section, name];
      const wrong = (message: string, hint: string): Finding[] => [
        { code: 'invalid-variable', message, path, part: 'key', hint },
      ];
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
        return wrong('is no name of a variable', 'letters, digits and _, and no digit at first');
      }
      if (name.startsWith('FCTL_')) {
        return wrong('variables that begin with FCTL_ are those of fctl', 'choose another name');
      }
      const hint = 'secrets belong into application.args, which keeps them out of record and plans';
      if (secrets.has(pointer(path))) {
        return wrong('a reference cannot stand here: what it becomes would lie in clear', hint);
      }
      return isNameOfSecret(name)
        ? wrong('is called like a secret, and would lie in clear', hint)
        : [];
    });
  });
}

/** The text of a key, or its default; empty when it is no text. */
function textInForce(values: Tree, path: Path): string {
  const value = valueAt(values, path) ?? nodeAt(path).default;
  return typeof value === 'string' ? value : '';
}

function checkBackoff(values: Tree): Finding[] {
  const section = ['restart', 'exponentialDelay'];
  const [initialMs, maxMs] = ['initialBackoff', 'maxBackoff'].map((key) =>
    parseDurationMs(textInForce(values, [...section, key])),
  );
  if (initialMs == null || maxMs == null || initialMs <= maxMs) return [];
  const path = [...section, 'maxBackoff'];
  return [
    {
      code: 'backoff-too-short',
      message: "must not be shorter than 'restart.exponentialDelay.initialBackoff'",
      path: valueAt(values, path) === undefined ? [...section, 'initialBackoff'] : path,
      part: 'value',
      hint: null,
    },
  ];
}

function checkHeartbeat(values: Tree): Finding[] {
  const path = ['heartbeat', 'timeout'];
  const [intervalMs, timeoutMs] = ['interval', 'timeout'].map((key) =>
    parseDurationMs(textInForce(values, ['heartbeat', key])),
  );
  if (intervalMs == null || timeoutMs == null || timeoutMs > intervalMs) return [];
  return [
    {
      code: 'heartbeat-too-short',
      message: "must be longer than 'heartbeat.interval'",
      path: valueAt(values, path) === undefined ? ['heartbeat', 'interval'] : path,
      part: 'value',
      hint: 'several intervals: one late heartbeat is not a loss',
    },
  ];
}

/** What the chosen provider finds. */
function checkProvider(values: Tree): readonly Finding[] {
  return sectionOf(textInForce(values, ['provider']))?.check(values) ?? [];
}

/** The address that REST listens on where everybody may ask; `null`: nobody but this machine, or with a token. */
function openBind(values: Tree): string | null {
  const isLoopbackByDefault = sectionOf(textInForce(values, ['provider']))?.rest === 'loopback';
  const byDefault = isLoopbackByDefault ? '127.0.0.1' : 'its network';
  const bind = textInForce(values, ['jobmanager', 'rest', 'bind']) || byDefault;
  const isLoopback = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i.test(bind);
  return textInForce(values, ['security', 'auth']) === 'none' && !isLoopback ? bind : null;
}

const isOpenAllowed = (values: Tree) => valueAt(values, ['security', 'allowOpenAccess']) === true;

function checkOpenAccess(values: Tree, { secrets }: CheckOptions): Finding[] {
  const bind = openBind(values);
  if (bind === null || isOpenAllowed(values)) return [];
  const shown = secrets.has('/jobmanager/rest/bind') ? 'this one' : `'${bind}'`;
  return [
    {
      code: 'open-to-others',
      message: `'none' is for a jobmanager.rest.bind on loopback: whoever reaches ${shown} can run code in the cluster`,
      path: ['security', 'auth'],
      part: 'value',
      hint: "use 'token' ('fctl proxy' adds it for other tools), bind 127.0.0.1, or accept it with 'security.allowOpenAccess: true'",
    },
  ];
}

function checkExposure(values: Tree): Finding[] {
  if (openBind(values) === null || !isOpenAllowed(values)) return [];
  return [
    {
      code: 'open-to-others',
      message: 'whoever reaches this address can run code in the cluster',
      path: ['jobmanager', 'rest', 'bind'],
      part: 'value',
      hint: "use 'security.auth: token'",
    },
  ];
}
