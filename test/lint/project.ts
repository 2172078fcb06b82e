/** A fixture as a project of its own: its files, with this repository's real configuration. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '../..');
const fixtures = join(import.meta.dirname, 'fixtures');
const configuration = [
  '.oxlintrc.json',
  '.oxfmtrc.json',
  'knip.config.ts',
  'package.json',
  'tsconfig.json',
  'tools/entry-points.ts',
  'tools/lint',
];

export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

/** A temporary project, removed at the end of the `using` block. */
export class FixtureProject implements Disposable {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'fctl-lint-')));
  readonly files: readonly string[];

  constructor(fixture: string) {
    for (const path of configuration) {
      cpSync(join(root, path), join(this.folder, path), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'));
    cpSync(join(fixtures, fixture), this.folder, { recursive: true });
    this.files = readdirSync(join(fixtures, fixture), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => relative(join(fixtures, fixture), join(entry.parentPath, entry.name)));
  }

  /** Runs a tool of this repository in the project. */
  run(tool: string, ...args: readonly string[]): string {
    const result = spawnSync(join(root, 'node_modules/.bin', tool), args, {
      cwd: this.folder,
      encoding: 'utf8',
    });
    if (result.error) throw result.error;
    return result.stdout;
  }

  /** What the `// error: rule` comments of the fixture announce, each for its own line. */
  announced(): Finding[] {
    return this.files.flatMap((file) => {
      const lines = readFileSync(join(this.folder, file), 'utf8').split('\n');
      return lines.flatMap((text, index) => {
        const rule = /\/\/ error: (.+)/.exec(text)?.[1];
        return rule === undefined ? [] : [{ file, line: index + 1, rule }];
      });
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** Findings in a fixed order, to compare two lists of them. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  const key = ({ file, line, rule }: Finding) => `${file}:${String(line).padStart(4, '0')} ${rule}`;
  return findings.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}
