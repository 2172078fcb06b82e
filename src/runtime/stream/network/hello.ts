/** The handshake of the data plane: who may connect to a slot. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** Version of the frames and elements. */
export const DATA_PROTOCOL_VERSION = 1;

/** The first frame of a connection: whose it is. */
export interface Hello {
  readonly protocol: number;
  /** Of the cluster; `null`: it needs none. */
  readonly token: string | null;
  readonly clusterId: string;
  readonly jobId: string;
  readonly jobAttempt: number;
  /** The slot that is meant. */
  readonly allocationId: string;
  /** For messages: `slot 1 of taskmanager-0`. */
  readonly from: string;
}

/** What a slot expects of a peer. */
export type Expected = Omit<Hello, 'from' | 'protocol'>;

/**
 * @param text body of a hello frame, from anybody.
 * @returns the name of the peer, or why it is refused.
 */
export function checkHello(
  text: string,
  expected: Expected,
): { readonly from: string } | { readonly refusal: string } {
  let hello: Partial<Hello> | null;
  try {
    hello = JSON.parse(text) as Partial<Hello> | null;
  } catch {
    return { refusal: 'the handshake is not JSON' };
  }
  if (hello === null || typeof hello !== 'object') return { refusal: 'the handshake is no object' };
  // The token first: nobody without it learns anything else.
  if (expected.token !== null && !sameText(String(hello.token), expected.token)) {
    return { refusal: 'the token is missing or wrong' };
  }
  if (hello.protocol !== DATA_PROTOCOL_VERSION) {
    return {
      refusal: `it speaks version ${String(hello.protocol)} of the data protocol, not ${DATA_PROTOCOL_VERSION}`,
    };
  }
  for (const field of ['clusterId', 'jobId', 'jobAttempt', 'allocationId'] as const) {
    if (hello[field] !== expected[field]) {
      return { refusal: `its ${field} is ${String(hello[field])}, not ${String(expected[field])}` };
    }
  }
  return { from: String(hello.from) };
}

/** In a time that does not tell how much of it is right. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
