/**
 * A guide of docs/guides, done as a reader does it: its files are written and its commands are run, from top to
 * bottom, in a project of its own.
 *
 *     ```yaml file=fctl.config.yaml     a file, which is written or replaced
 *     ```sh                             commands; `exit=6`: the code of the last one
 *     ```sh terminal keys=y             on a terminal, where `y` answers the question
 *     ```text                           what they print: these lines in this order, with others in between;
 *                                       `…` stands for anything
 */
import { spawn } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';

/** What one block of commands may take. */
const blockMs = 240_000;
const terminalMs = 100_000;

const root = resolve(import.meta.dirname, '../..');

export type Step =
  | { readonly type: 'file'; readonly path: string; readonly content: string }
  | {
      readonly type: 'commands';
      readonly text: string;
      readonly exitCode: number;
      readonly onTerminal: boolean;
      readonly keys: string | null;
      /** Lines. */
      readonly expected: readonly string[];
    };

/** @throws Error for a block that says what nobody understands: it would be left out in silence. */
export function parseGuide(markdown: string): Step[] {
  const steps: Step[] = [];
  for (const [, info = '', content = ''] of markdown.matchAll(/^```(.*)\n([^]*?)^```$/gm)) {
    const [language, ...words] = info.split(' ');
    const known = new Map(words.map((word) => word.split('=') as [string, string | undefined]));
    const take = (name: string) => {
      const value = known.get(name);
      const isThere = known.delete(name);
      return isThere ? (value ?? '') : null;
    };
    const path = take('file');
    if (path !== null) steps.push({ type: 'file', path, content });
    else if (language === 'sh') {
      const exitCode = Number(take('exit') ?? 0);
      const onTerminal = take('terminal') !== null;
      const keys = take('keys');
      steps.push({ type: 'commands', text: content, exitCode, onTerminal, keys, expected: [] });
    } else if (language === 'text') {
      const last = steps.pop();
      if (last?.type !== 'commands') throw new Error(`no command prints: ${content}`);
      steps.push({ ...last, expected: content.trimEnd().split('\n') });
    } else throw new Error(`nothing is done with a block of '${info}'`);
    if (known.size > 0)
      throw new Error(`'${[...known.keys()].join(' ')}' of '${info}' says nothing`);
  }
  return steps;
}

const escapePattern = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');

export const guideSteps = (name: string): Step[] =>
  parseGuide(readFileSync(join(root, 'docs/guides', `${name}.md`), 'utf8'));

/** What a place of the reader's own is in a test. */
export type Replacements = readonly (readonly [written: string, here: string])[];

export class Reader {
  readonly folder: string;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #replacements: Replacements;
  #cwd: string;

  private constructor(
    folder: string,
    environment: Readonly<Record<string, string>>,
    replacements: Replacements,
  ) {
    this.folder = folder;
    this.#cwd = join(folder, 'work');
    this.#replacements = replacements;
    const { CI: _, FORCE_COLOR: __, ...inherited } = process.env;
    this.#environment = {
      ...inherited,
      PATH: `${join(folder, 'bin')}:${dirname(process.execPath)}:${process.env['PATH']}`,
      HOME: join(folder, 'home'),
      FCTL_HOME: join(folder, 'clusters'),
      NO_COLOR: '1',
      TERM: 'xterm',
      ...environment,
    };
  }

  static async create(
    environment: Readonly<Record<string, string>> = {},
    replacements: Replacements = [],
  ): Promise<Reader> {
    const folder = await mkdtemp(join(tmpdir(), 'fctl-guide-'));
    for (const name of ['bin', 'home', 'work']) await mkdir(join(folder, name));
    const launcher = join(root, 'bin/fctl.js');
    const fctl = join(folder, 'bin/fctl');
    await writeFile(fctl, `#!/bin/sh\nexec "${process.execPath}" "${launcher}" "$@"\n`);
    chmodSync(fctl, 0o755);
    return new Reader(folder, environment, replacements);
  }

  /** Does it. @throws Error when it does not go as the guide says. */
  async follow(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#do(step);
  }

  async #do(step: Step): Promise<void> {
    if (step.type === 'file') {
      const file = join(this.#cwd, step.path);
      await mkdir(dirname(file), { recursive: true });
      return writeFile(file, this.#here(step.content));
    }
    const { exitCode, printed } = await (step.onTerminal ? this.#type(step) : this.#run(step));
    const about = `${step.text}\n${printed}`;
    if (exitCode !== step.exitCode)
      throw new Error(`it ended with ${exitCode}, not with ${step.exitCode}:\n${about}`);
    let at = 0;
    for (const line of step.expected) {
      const parts = this.#here(line)
        .trim()
        .split('…')
        .map((part) => escapePattern(part.trim()));
      const found = new RegExp(parts.join('.*?').replaceAll(/ +/g, ' +')).exec(printed.slice(at));
      if (found === null)
        throw new Error(`'${line}' is not in, or not behind the line before it:\n${about}`);
      at += found.index + found[0].length;
    }
  }

  #here(text: string): string {
    return this.#replacements.reduce((all, [written, here]) => all.replaceAll(written, here), text);
  }

  /** A script that ends at the first command that fails, and says in which folder it ended. */
  async #script({ text }: { readonly text: string }): Promise<string> {
    const file = join(this.folder, 'commands.sh');
    const end = `trap 'pwd >"${join(this.folder, 'cwd')}"' EXIT`;
    await writeFile(file, `set -e\n${end}\n${this.#here(text)}`);
    return file;
  }

  #where(): void {
    this.#cwd = readFileSync(join(this.folder, 'cwd'), 'utf8').trim();
  }

  async #run(step: { readonly text: string }) {
    const script = await this.#script(step);
    const ran = await execa('bash', [script], {
      cwd: this.#cwd,
      env: this.#environment,
      extendEnv: false,
      all: true,
      stdin: 'ignore',
      reject: false,
      timeout: blockMs,
    });
    this.#where();
    return { exitCode: ran.exitCode, printed: ran.all };
  }

  async #type(step: { readonly text: string; readonly keys: string | null }) {
    const script = await this.#script(step);
    const child = spawn('script', ['-qefc', `stty cols 160; exec bash ${script}`, '/dev/null'], {
      cwd: this.#cwd,
      env: { ...this.#environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let shown = '';
    let asked = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      shown += String(chunk);
      const questions = shown.split('[y/N]').length - 1;
      if (step.keys !== null && questions > asked) child.stdin.write(`${step.keys}\r`);
      asked = questions;
    });
    // A question that the guide does not answer would wait for ever.
    const limit = setTimeout(() => child.kill('SIGHUP'), terminalMs);
    const exitCode = await new Promise<number | null>((done) => child.once('close', done));
    clearTimeout(limit);
    this.#where();
    return { exitCode, printed: stripVTControlCharacters(shown).replaceAll('\r', '\n') };
  }

  /** Ends what the guide has left running, and removes everything. */
  async leave(): Promise<void> {
    const text = 'for c in $(fctl list -o name 2>/dev/null); do fctl destroy "$c" --yes; done';
    await this.#run({ text });
    await rm(this.folder, { recursive: true, force: true });
  }
}
