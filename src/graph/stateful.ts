/**
 * Which operators have state, in Flink's sense: what they emit depends on records that came before.
 *
 * A source that would start over is not meant: where it starts is what its definition says, so a job of
 * stateless operators alone does the same after a restart as after its first start.
 */
import type { Operation } from '../api/transformations.ts';

export function isStateful({ kind }: Operation): boolean {
  switch (kind) {
    case 'reduce':
    case 'window':
      return true;
    case 'source':
    case 'map':
    case 'flatMap':
    case 'filter':
    case 'watermarks':
    case 'sink':
      return false;
  }
}
