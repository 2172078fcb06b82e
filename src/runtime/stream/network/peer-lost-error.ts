/** The slot at the other end of a link is gone: never the cause of a failure, always a consequence. */
export class PeerLostError extends Error {
  override readonly name = 'Error';
}
