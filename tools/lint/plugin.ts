/** Lint rules that oxlint lacks. Each is proved by a fixture in `test/lint/fixtures`. */
import { dirname, join, relative, resolve, sep } from 'node:path';
import { layerProblem } from './layers.ts';

/** The little of a syntax tree that the rules look at. */
interface Node {
  readonly type: string;
  readonly value?: unknown;
  readonly source?: Node | null;
  readonly argument?: Node;
}

interface Context {
  readonly filename: string;
  report(problem: { readonly node: Node; readonly message: string }): void;
}

/** What the package's own names stand for inside the repository (as in `paths` of tsconfig.json). */
const ownNames = new Map([
  ['fctl', 'api/index.ts'],
  ['fctl/config', 'config/index.ts'],
  ['fctl/testing', 'testing/index.ts'],
  ['fctl/provider-testing', 'providers/testing/index.ts'],
]);

const src = join(import.meta.dirname, '../../src');

/** Path below `src/`, with `/`; begins with `../` when the file lies elsewhere. */
const belowSource = (filename: string) => relative(src, filename).split(sep).join('/');

/** Path below `src/` of what a file imports; null for packages. */
function importedSource(filename: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return ownNames.get(specifier) ?? null;
  return belowSource(resolve(dirname(filename), specifier));
}

/** Each folder of `src/` imports only what is below it; static, dynamic and type imports alike. */
const layers = {
  create(context: Context) {
    const importer = belowSource(context.filename);
    if (importer.startsWith('../')) return {};
    const check = (node: Node) => {
      const specifier = node.source?.value;
      if (typeof specifier !== 'string') return;
      const imported = importedSource(context.filename, specifier);
      const message = imported === null ? null : layerProblem(importer, imported);
      if (message !== null) context.report({ node, message });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      TSImportType: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
    };
  },
};

/** A barrel names what it exports, so that one can read (and knip can check) what is public. */
const noExportAll = {
  create(context: Context) {
    return {
      ExportAllDeclaration: (node: Node) =>
        context.report({ node, message: 'Name each export instead of `export *`' }),
    };
  },
};

// oxlint takes plugins as default exports.
export default {
  meta: { name: 'fctl' },
  rules: { layers, 'no-export-all': noExportAll },
};
