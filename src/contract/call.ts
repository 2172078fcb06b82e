/** What every call that can take time is given. */
export interface Call {
  /** Ends the call: it rejects with the signal's reason, whatever it was waiting for. */
  readonly signal: AbortSignal;
}
