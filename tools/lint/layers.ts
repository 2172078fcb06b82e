/**
 * The layers of `src/`: which folder may import which. The only place that says so; the lint rule
 * `fctl/layers` reads it.
 *
 * The two sides, client (`cli` … `config`) and cluster (`runtime`), meet only in `contract`, in the
 * cluster's record (`record`), in the application API with its compiler (`api`, `graph`, `application`),
 * and over REST.
 */

/** Folder → folders right below it. A folder may import everything that can be reached from it. */
const below: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  // Where files lie: one port, a driver a scheme.
  storage: ['contract'],
  record: ['storage'],
  config: ['contract'],
  'flink-rest': ['contract'],
  providers: ['config', 'record'],
  api: ['contract'],
  graph: ['api'],
  application: ['graph'],
  packaging: ['config', 'application'],
  // An engine names the artifacts of its processes, and those are made by packaging/.
  engines: ['packaging', 'record', 'flink-rest'],
  deployment: ['providers', 'engines', 'packaging'],
  cli: ['deployment'],
  connectors: ['api', 'storage'],
  runtime: ['application', 'connectors', 'record'],
  testing: ['runtime'],
};

/**
 * Folders of `runtime`, each with the others that it may import. The engine proper stands alone: it knows no
 * process, no RPC and no JobManager, so that another host can take it. A JobManager runs no tasks.
 */
const rooms: Readonly<Record<string, readonly string[]>> = {
  stream: [],
  rpc: ['stream'],
  metrics: ['logging', 'rpc'],
  logging: ['rpc'],
  ha: ['logging', 'rpc'],
  keeper: [],
  rest: ['jobmanager', 'logging', 'metrics', 'rpc'],
  jobmanager: ['ha', 'logging', 'metrics', 'rest', 'rpc'],
  taskmanager: ['ha', 'logging', 'metrics', 'rpc', 'stream'],
};

/** What of the other folders of `src/` the engine proper may import. */
const engineLayers: readonly string[] = ['api', 'connectors', 'contract', 'graph'];

/**
 * Folders that only some may import, wherever else they can be reached from: how a JobManager is spoken to is
 * the business of its engine (`engine.cluster`).
 */
const onlyFor: Readonly<Record<string, readonly string[]>> = {
  'flink-rest': ['flink-rest', 'engines'],
};

/** Single files that may import one folder more, each with its reason. */
const exceptions: Readonly<Record<string, readonly string[]>> = {
  // The barrel that applications import as `fctl`: the connectors are part of the API, and no other
  // file of api/ imports the barrel.
  'api/index.ts': ['connectors'],
};

/** Every folder that the files of one folder may import, itself included. */
function reachable(folder: string): ReadonlySet<string> {
  const found = new Set([folder]);
  for (const each of found) for (const lower of below[each] ?? []) found.add(lower);
  return found;
}

const allowed = new Map(Object.keys(below).map((folder) => [folder, reachable(folder)]));

/**
 * Why a file may not import another one, or null when it may.
 * @param importer path below `src/`, with `/`
 * @param imported the same; begins with `../` when the file lies elsewhere
 */
export function layerProblem(importer: string, imported: string): string | null {
  if (imported.startsWith('../')) return outsideProblem(imported);
  const from = folderOf(importer);
  const to = folderOf(imported);
  const lower = allowed.get(from);
  if (lower === undefined) return `src/${from} is in no layer; tools/lint/layers.ts lists them`;
  const isReserved = onlyFor[to]?.includes(from) === false;
  if ((lower.has(to) && !isReserved) || exceptions[importer]?.includes(to)) {
    return from === 'runtime' ? roomProblem(importer, imported) : null;
  }
  return `src/${from} may not import src/${to}`;
}

/** Files that lie in `runtime` itself are for all rooms but the engine proper. */
function roomProblem(importer: string, imported: string): string | null {
  const from = roomOf(importer);
  const to = roomOf(imported);
  if (from === null || from === to) return null;
  const others = rooms[from];
  if (others === undefined)
    return `src/runtime/${from} is no room; tools/lint/layers.ts lists them`;
  const isElsewhere = folderOf(imported) !== 'runtime';
  const isAllowed = isElsewhere
    ? from !== 'stream' || engineLayers.includes(folderOf(imported))
    : to === null
      ? from !== 'stream'
      : others.includes(to);
  const what = isElsewhere ? folderOf(imported) : imported;
  return isAllowed ? null : `src/runtime/${from} may not import src/${what}`;
}

/** The folder of `runtime` that a file lies in; `null`: in none. */
function roomOf(path: string): string | null {
  const [folder, room, ...rest] = path.split('/');
  return folder === 'runtime' && rest.length > 0 ? room! : null;
}

const folderOf = (path: string) => path.split('/', 1)[0]!;

/** What is shipped does not depend on tests and tools; the package's own version is in package.json. */
function outsideProblem(imported: string): string | null {
  return imported === '../package.json' ? null : `src may not import ${imported.slice(3)}`;
}
