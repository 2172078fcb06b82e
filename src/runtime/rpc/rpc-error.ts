/** Why a call did not succeed. */
export type RpcErrorCode =
  /** The peer's function threw; the message is the peer's. */
  | 'failed'
  /** The message belongs to another cluster, leader epoch or job attempt. */
  | 'stale'
  | 'timed-out'
  /** The connection is closed, or closed before the answer came. */
  | 'closed'
  | 'too-large'
  /** The peer does not speak this protocol. */
  | 'malformed'
  /** Nobody answers at the address. */
  | 'unreachable'
  /** The token is missing or wrong. */
  | 'unauthorized';

export class RpcError extends Error {
  readonly code: RpcErrorCode;

  constructor(code: RpcErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RpcError';
    this.code = code;
  }
}

export function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new RpcError('failed', message, { cause: error });
}
