/** Each rule that the house style relies on, proved by a fixture that breaks it. */
import { describe, expect, it } from 'vitest';
import { type Finding, FixtureProject, inOrder } from './project.ts';

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
  readonly labels: readonly [{ readonly span: { readonly line: number } }];
}

function lint(project: FixtureProject): Finding[] {
  const output = project.run('oxlint', '--format=json', ...project.files);
  const { diagnostics }: { diagnostics: Diagnostic[] } = JSON.parse(output);
  return diagnostics.map(({ code, filename, labels: [{ span }] }) => ({
    file: filename,
    line: span.line,
    rule: code,
  }));
}

describe('the linter reports', () => {
  it.each([
    ['an import against the layers', 'layers'],
    ['an import cycle, also of types', 'no-cycle'],
    ['a promise that nobody waits for', 'promises'],
    ['the console outside of the command line', 'no-console'],
    ['unnamed and default exports', 'exports'],
    ['the end of the process outside of entry points', 'process-exit'],
  ])('%s', (_, fixture) => {
    using project = new FixtureProject(fixture);
    const announced = project.announced();
    expect(announced).not.toEqual([]);
    expect(inOrder(lint(project))).toEqual(inOrder(announced));
  });

  it('nothing in clean code', () => {
    using project = new FixtureProject('clean');
    expect(lint(project)).toEqual([]);
  });
});

interface Unused {
  readonly name: string;
  readonly line?: number;
}

interface KnipReport {
  readonly issues: readonly ({ readonly file: string } & Record<string, readonly Unused[]>)[];
}

describe('knip reports', () => {
  it('unused files, exports, types and dependencies', () => {
    using project = new FixtureProject('unused');
    const { issues }: KnipReport = JSON.parse(project.run('knip', '--reporter=json'));
    const found = (file: string, kind: string) =>
      issues.find((issue) => issue.file === file)?.[kind]?.map(({ name }) => name) ?? [];
    expect(found('src/api/unreachable.ts', 'files')).toEqual(['src/api/unreachable.ts']);
    expect(found('src/api/job.ts', 'exports')).toEqual(['forgotten']);
    expect(found('src/api/job.ts', 'types')).toEqual(['Forgotten']);
    expect(found('package.json', 'devDependencies')).toEqual(['yaml']);
    expect(found('src/api/index.ts', 'exports')).toEqual([]);
  });
});

describe('the formatter reports', () => {
  it('what it would write otherwise', () => {
    using project = new FixtureProject('unformatted');
    expect(project.run('oxfmt', '--list-different', 'src').trim()).toBe('src/api/index.ts');
  });
});
