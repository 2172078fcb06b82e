/**
 * Runtimes on a host: `DIR/runtimes/HASH/{bin/node,dist,templates}`.
 *
 * R1  A runtime takes its place by a rename when all of it is there and verified: what has its name is whole.
 * R2  One that is there is touched: it is about to be used, and is not pruned (agent/prune.ts).
 */
import type { TransferOptions } from '../provider.ts';
import { ProviderError, problem } from '../../contract/errors.ts';
import type { Host } from './host.ts';
import { folderWord, quote, script } from './shell.ts';
import { failed, upload } from './upload.ts';

export interface RuntimeArchive {
  /** SHA-256 of the uncompressed tar: the name of the runtime. */
  readonly hash: string;
  /** The tar.gz, on this machine. */
  readonly file: string;
  readonly sizeBytes: number;
}

/** Sends a runtime to a host unless it has it. */
export async function installRuntime(
  host: Host,
  archive: RuntimeArchive,
  { onProgress, signal }: TransferOptions,
): Promise<void> {
  const { dir } = host;
  const connection = await host.connection();
  const runtimes = `${folderWord(dir)}/runtimes`;
  const target = `${runtimes}/${quote(archive.hash)}`;
  const name = `runtime-${archive.hash}.tar.gz`;
  const report = (sentBytes: number, byOther: boolean) =>
    onProgress({
      what: 'runtime',
      where: host.address,
      sentBytes,
      totalBytes: archive.sizeBytes,
      byOther,
    });
  const options = { dir, where: host.address, signal, onSent: report };
  const sending = { ...archive, name, unless: `[ -x ${target}/bin/node ] && touch ${target}` };
  if ((await upload(connection, sending, options)) === null) return;
  const unpacked = await connection.run(script(unpack(dir, name, archive.hash)), { signal });
  if (unpacked.code === 65) throw corrupt(host.address);
  if (unpacked.code !== 0) throw failed(host.address, dir, unpacked.stderr);
  report(archive.sizeBytes, false);
}

function unpack(dir: string, name: string, hash: string): string {
  const file = `${folderWord(dir)}/uploads/${quote(name)}`;
  const runtimes = `${folderWord(dir)}/runtimes`;
  const target = `${runtimes}/${quote(hash)}`;
  return [
    'umask 077',
    // R1. Somebody else may be faster at any moment, and removes the file: then it is there. Or it was there
    // before this file was sent, which nobody needs then.
    `fail() { [ -x ${target}/bin/node ] && rm -f ${file} && exit 0; exit $1; }`,
    `mkdir -p ${runtimes} || fail 1`,
    `new=${runtimes}/.${hash}.$$`,
    'trap \'rm -rf "$new" "$new.pipe" "$new.sum"\' EXIT',
    'mkdir "$new" && mkfifo "$new.pipe" || fail 1',
    'sha256sum <"$new.pipe" >"$new.sum" &',
    // Unpacked and hashed at once. The exit code of gzip is lost in the pipe, and the hash tells what it would.
    `gzip -dc ${file} 2>/dev/null | tee "$new.pipe" | tar -xof - -C "$new"`,
    'unpacked=$?',
    'wait',
    'read -r found rest <"$new.sum"',
    // A full disk ends tar before all was hashed.
    `[ $unpacked = 0 ] || found=$(gzip -dc ${file} 2>/dev/null | sha256sum)`,
    `[ "\${found%% *}" = ${hash} ] || { rm -f ${file}; fail 65; }`,
    '[ $unpacked = 0 ] && [ -x "$new"/bin/node ] || fail 1',
    `mv -T "$new" ${target} 2>/dev/null || fail 1`,
    `rm -f ${file}`,
  ].join('\n');
}

function corrupt(where: string): ProviderError {
  return new ProviderError(
    problem({
      code: 'runtime-corrupt',
      message: `the runtime that arrived at ${where} is not the one that was sent: it was removed`,
      hint: 'repeat the command; when it happens again, the disk or the network of the host is damaged',
    }),
  );
}
