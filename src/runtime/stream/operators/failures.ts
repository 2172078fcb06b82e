/**
 * Which operator an error came from. User exceptions leave a chain unchanged (C4), so the chain keeps
 * beside the error whose it was. Operators catch, note and throw again: that costs nothing until then.
 */
export class FailureLog {
  private last: { readonly error: unknown; readonly operator: string } | null = null;

  /** The innermost operator notes first; those that the same error passes on its way out do not count. */
  note(error: unknown, operator: string): void {
    if (this.last === null || !Object.is(this.last.error, error)) this.last = { error, operator };
  }

  /** Name of the operator that noted `error` first; `null`: none did. */
  operatorOf(error: unknown): string | null {
    return this.last !== null && Object.is(this.last.error, error) ? this.last.operator : null;
  }
}
