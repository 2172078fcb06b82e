/**
 * Adds to package-lock.json the optional packages of other platforms that the registry at hand did not
 * have when npm wrote it: npm leaves them out then, and `npm ci` refuses the file for that. They get their
 * exact version, without an integrity. Run it after npm has changed the file.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

interface LockedPackage {
  readonly version: string;
  readonly dev?: true;
  readonly optional?: true;
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly os?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const file = join(import.meta.dirname, '../package-lock.json');
const systems = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64'];

/** As the packages of native binaries are called: `@oxlint/binding-linux-arm64-musl`. */
function platformPackage(name: string, version: string, dev: true | undefined): LockedPackage {
  const words = name.split(/[/-]/);
  return {
    version,
    cpu: processors.filter((word) => words.includes(word)),
    ...(dev && { dev }),
    ...(words.includes('musl') && { libc: ['musl'] }),
    optional: true,
    os: systems.filter((word) => words.includes(word)),
  };
}

const lock: { packages: Record<string, LockedPackage> } = JSON.parse(await readFile(file, 'utf8'));
const { packages } = lock;
const locked = (name: string) =>
  Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`));

for (const { dev, optionalDependencies = {} } of Object.values(packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (locked(name)) continue;
    packages[`node_modules/${name}`] = platformPackage(name, version, dev);
    console.log(`${name} ${version}`);
  }
}
lock.packages = Object.fromEntries(
  Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en')),
);
await writeFile(file, `${JSON.stringify(lock, null, 2)}\n`);
