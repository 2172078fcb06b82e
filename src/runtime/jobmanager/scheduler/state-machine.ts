/** A life cycle whose legal transitions are data. Remembers when each state was entered. */

export interface StateMachine<S extends string> {
  readonly state: S;
  /** Epoch milliseconds by state; 0: never entered. */
  readonly timestamps: Readonly<Record<S, number>>;
  /** When the last transition was. */
  readonly lastModification: number;
  allows(next: S): boolean;
  /** @throws IllegalTransitionError when the table has no such transition. Nothing is changed then. */
  enter(next: S): void;
}

export class IllegalTransitionError extends Error {
  constructor(what: string, from: string, to: string) {
    super(`a ${what} cannot go from ${from} to ${to}`);
    this.name = 'IllegalTransitionError';
  }
}

/** @param what names the machine in errors: `job`. */
export function createStateMachine<S extends string>(
  what: string,
  transitions: Readonly<Record<S, readonly S[]>>,
  initial: S,
  now: () => number,
): StateMachine<S> {
  const timestamps = Object.fromEntries(
    Object.keys(transitions).map((state) => [state, 0]),
  ) as Record<S, number>;
  let state = initial;
  let lastModification = now();
  timestamps[initial] = lastModification;
  return {
    get state() {
      return state;
    },
    get lastModification() {
      return lastModification;
    },
    timestamps,
    allows: (next) => transitions[state].includes(next),
    enter: (next) => {
      if (!transitions[state].includes(next)) throw new IllegalTransitionError(what, state, next);
      state = next;
      lastModification = now();
      timestamps[next] = lastModification;
    },
  };
}
