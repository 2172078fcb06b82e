/** Compressed answers: `gzip` or `deflate`, as the client would like it. */
import { constants, deflate, gzip } from 'node:zlib';
import { promisify } from 'node:util';

/** Below it an answer fits one packet anyway. */
const compressAboveBytes = 1400;

/** The process has more to do than to compress: the fastest level makes JSON small enough. */
const options = { level: constants.Z_BEST_SPEED };

const encoders = { gzip: promisify(gzip), deflate: promisify(deflate) } as const;

type Coding = keyof typeof encoders;

/**
 * Which coding an `Accept-Encoding` asks for (RFC 9110, 12.5.3); `null`: none of ours, or none rather.
 * Where two are as welcome, gzip.
 */
export function chooseCoding(acceptEncoding: string | undefined): Coding | null {
  const weights = new Map<string, number>();
  for (const part of (acceptEncoding ?? '').split(',')) {
    const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const weight = parameters.map((p) => /^q=([01](?:\.\d{0,3})?)$/.exec(p)?.[1]).find(Boolean);
    weights.set(name, weight === undefined ? 1 : Number(weight));
  }
  const any = weights.get('*') ?? 0;
  const weightOf = (coding: Coding) => weights.get(coding) ?? any;
  const best = weightOf('deflate') > weightOf('gzip') ? 'deflate' : 'gzip';
  return weightOf(best) > 0 && weightOf(best) >= (weights.get('identity') ?? 0) ? best : null;
}

export interface Encoded {
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export async function encode(bytes: Buffer, acceptEncoding: string | undefined): Promise<Encoded> {
  if (bytes.length < compressAboveBytes) return { bytes, headers: {} };
  const vary = { vary: 'Accept-Encoding' };
  const coding = chooseCoding(acceptEncoding);
  if (coding === null) return { bytes, headers: vary };
  const encoded = await encoders[coding](bytes, options);
  return { bytes: encoded, headers: { ...vary, 'content-encoding': coding } };
}
