/** `providers.standalone`: hosts that are reached by SSH. */
import { z } from 'zod';
import { parseDurationMs } from '../../contract/units.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { Finding } from '../finding.ts';
import { type Tree, isTree, valueAt } from '../layer.ts';
import { resolvePath } from '../paths.ts';
import { choice, count, text, timeout } from '../schema-parts.ts';
import type { ProviderSection } from './section.ts';

const port = (description: string) => z.int().min(1).max(65_535).meta({ description });

/** What may be said of one host, and of all. */
const login = {
  user: text(
    'User to log in as. Default: what `~/.ssh/config` says, else the name of this user.',
  ).optional(),
  port: port('Port of the SSH server. Default: what `~/.ssh/config` says, else 22.').optional(),
  identityFile: text(
    'Private key. Default: those of `~/.ssh/config`, of the agent, and `~/.ssh/id_ed25519`, `id_ecdsa`, `id_rsa`.',
  ).optional(),
  jump: text(
    'Hosts to go through, as ssh -J takes them: `user@host:port`, several with commas. `none`: straight, whatever `~/.ssh/config` says.',
  ).optional(),
};

const host = z.strictObject({
  address: text('Address or name of the host, or a `Host` of `~/.ssh/config`.'),
  role: choice(['jobmanager', 'taskmanager', 'both'], 'Which processes it may run.').default(
    'both',
  ),
  advertise: text(
    'Address under which the other hosts reach it. Default: the one that `address` stands for.',
  ).optional(),
  ...login,
});

const schema = z.strictObject({
  hosts: z
    .array(z.union([text('The address alone.'), host]))
    .min(1)
    .meta({
      description:
        'The hosts: an address, or `{ address, role, user, port, identityFile, jump, advertise }`. The JobManager runs on the first one whose role lets it, TaskManagers in turn on all whose role lets them. An address may be there once: for several hosts behind one address, with other ports, give each a name of its own (`Host` of `~/.ssh/config`).',
    }),
  ...login,
  passphrase: text('Of the private key. Best by a reference: `${env:NAME}`.').optional(),
  password: text(
    'To log in with where no key is accepted. Best by a reference. Without one you are asked, on a terminal.',
  ).optional(),
  agent: z.boolean().default(true).meta({
    description: 'Whether keys of the SSH agent (`SSH_AUTH_SOCK`) are tried.',
  }),
  sshConfig: z.boolean().default(true).meta({
    description: 'Whether `~/.ssh/config` counts, for whatever is not said here.',
  }),
  knownHosts: text('File of known host keys.').default('~/.ssh/known_hosts'),
  hostKeys: choice(
    ['strict', 'accept-new'],
    'Hosts without a known key: `strict` refuses them, `accept-new` adds their key to `knownHosts`. A key that changed is always refused.',
  ).default('strict'),
  dir: text('Folder of fctl on the hosts; `~` is the home of the user there.').default(
    '~/.local/share/fctl',
  ),
  supervisor: choice(
    ['auto', 'systemd', 'systemd-user', 'script'],
    'What starts a crashed process again: units of the system or of the user, or a script. `auto`: units where systemd runs and the user may, else the script.',
  ).default('auto'),
  rest: choice(
    ['auto', 'direct', 'tunnel'],
    'How the REST API is reached from here: through an SSH `tunnel`, which `auto` means too, or `direct`. Without TLS, whoever can read what goes over the network takes the token of a `direct` request, and may run code in the cluster.',
  ).default('auto'),
  connectTimeout: timeout('How long a host has to answer.').default('10s'),
  keepAlive: timeout('A connection that was silent for three times this long is lost.').default(
    '5s',
  ),
  parallel: count('How many hosts are worked on at the same time.').default(16),
});

type HostOptions = z.output<typeof host>;

export interface ResolvedHost {
  /** As written: an address, a name, or a `Host` of `~/.ssh/config`. */
  readonly address: string;
  readonly role: 'jobmanager' | 'taskmanager' | 'both';
  readonly advertise: string | null;
  /** What is not said here is `null`: `~/.ssh/config` or the default decides. */
  readonly user: string | null;
  readonly port: number | null;
  /** Absolute. */
  readonly identityFile: string | null;
  readonly jump: string | null;
}

export interface ResolvedStandalone {
  readonly hosts: readonly ResolvedHost[];
  /** For hosts of earlier releases, which are cleaned after they left the config. */
  readonly login: Pick<ResolvedHost, 'user' | 'port' | 'identityFile' | 'jump'>;
  readonly passphrase: string | null;
  readonly password: string | null;
  readonly agent: boolean;
  readonly sshConfig: boolean;
  /** Absolute. */
  readonly knownHosts: string;
  readonly hostKeys: 'strict' | 'accept-new';
  /** On the hosts; may begin with `~/`. */
  readonly dir: string;
  readonly supervisor: 'auto' | 'systemd' | 'systemd-user' | 'script';
  readonly rest: 'auto' | 'direct' | 'tunnel';
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly parallel: number;
}

function resolve(options: z.output<typeof schema>, projectDir: string): ResolvedStandalone {
  const file = (path: string | undefined) =>
    path === undefined ? null : resolvePath(projectDir, path);
  const common = {
    user: options.user ?? null,
    port: options.port ?? null,
    identityFile: file(options.identityFile),
    jump: options.jump ?? null,
  };
  return {
    hosts: options.hosts.map((given) => {
      const own: HostOptions = typeof given === 'string' ? { address: given, role: 'both' } : given;
      return {
        address: own.address,
        role: own.role,
        advertise: own.advertise ?? null,
        user: own.user ?? common.user,
        port: own.port ?? common.port,
        identityFile: file(own.identityFile) ?? common.identityFile,
        jump: own.jump ?? common.jump,
      };
    }),
    login: common,
    passphrase: options.passphrase ?? null,
    password: options.password ?? null,
    agent: options.agent,
    sshConfig: options.sshConfig,
    knownHosts: resolvePath(projectDir, options.knownHosts),
    hostKeys: options.hostKeys,
    dir: options.dir,
    supervisor: options.supervisor,
    rest: options.rest,
    connectTimeoutMs: parseDurationMs(options.connectTimeout)!,
    keepAliveMs: parseDurationMs(options.keepAlive)!,
    parallel: options.parallel,
  };
}

/** Hosts are known by their address alone, wherever a process is placed, found or ended. */
function checkAddresses(hosts: readonly JsonValue[]): Finding[] {
  const addresses = hosts.map((host) => (isTree(host) ? host['address'] : host));
  return addresses.flatMap((address: JsonValue | undefined, index) =>
    typeof address !== 'string' || addresses.indexOf(address) === index
      ? []
      : [
          {
            code: 'host-twice',
            message: 'this address is in the list already: a host is known by its address alone',
            path: ['providers', 'standalone', 'hosts', index],
            part: 'value' as const,
            hint: "one that runs both has 'role: both'; hosts behind one address with several ports get names of their own, as 'Host' of ~/.ssh/config",
          },
        ],
  );
}

function check(values: Tree): Finding[] {
  const hosts = valueAt(values, ['providers', 'standalone', 'hosts']);
  if (Array.isArray(hosts)) return checkAddresses(hosts);
  if (valueAt(values, ['providers', 'standalone']) !== undefined) return [];
  return [
    {
      code: 'missing',
      message: "'providers.standalone.hosts' is missing",
      path: ['provider'],
      part: 'value',
      hint: 'name the hosts, for example providers.standalone.hosts: [10.0.0.1, 10.0.0.2]',
    },
  ];
}

export const standaloneSection: ProviderSection<typeof schema, ResolvedStandalone> = {
  schema,
  resolve,
  check,
  rest: 'network',
};
