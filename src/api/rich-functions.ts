/** Functions that users give as objects, as operators take them: a function to call, and what to open and close. */
import type { RichFunction } from './functions.ts';

type AnyFunction = (...args: never[]) => unknown;

export interface UserFunction<F> {
  readonly fn: F;
  /** The object it was given as, if that has something to open or to close. */
  readonly rich: readonly RichFunction[];
}

/**
 * @param method of the object that is the function.
 * @throws TypeError for what is neither a function nor such an object.
 */
export function userFunction<F extends AnyFunction, M extends string>(
  given: F | (RichFunction & { readonly [name in M]: F }),
  method: M,
): UserFunction<F> {
  if (typeof given === 'function') return { fn: given, rich: [] };
  if (isGivenAs(given, method)) {
    const fn = given[method] as F;
    return { fn: fn.bind(given) as F, rich: richOf(given) };
  }
  throw new TypeError(
    `${method} takes a function, or an object that has one called '${method}', not ${typeof given}`,
  );
}

/** Whether it is an object that has a method of this name. */
export function isGivenAs(given: unknown, method: string): boolean {
  return (
    typeof given === 'object' &&
    given !== null &&
    typeof (given as Record<string, unknown>)[method] === 'function'
  );
}

/** @throws TypeError when `open` or `close` is something else than a method. */
export function richOf(given: RichFunction): readonly RichFunction[] {
  for (const name of ['open', 'close'] as const) {
    if (given[name] === undefined || typeof given[name] === 'function') continue;
    throw new TypeError(`'${name}' of a function that is given as an object is a method`);
  }
  return given.open === undefined && given.close === undefined ? [] : [given];
}
