/** Ports of this host. */
import { tryPort } from '../../shared/ports.ts';

/** @returns `wanted` where it is free, else another one; 0: none, not even another. */
export async function findFreePort(bind: string, wanted: number): Promise<number> {
  for (const port of wanted === 0 ? [0] : [wanted, 0]) {
    const found = await tryPort(bind, port);
    if (typeof found === 'number') return found;
  }
  return 0;
}
