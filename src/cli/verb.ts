/**
 * What a verb says of itself: one file in `commands/` for each. `--help`, completion, the reference and the
 * parser read it, so its words and its options are declared once. What a verb does is in the file of the
 * same name in `verbs/`, which is loaded when it runs; `verbs.ts` puts both together.
 *
 * Nothing heavy may be imported here or in `commands/`: all verbs are read at each start.
 */
import type { Context } from './context.ts';
import {
  type Arguments,
  type OptionValues,
  type Options,
  clusterOption,
  commonOptions,
  placeOptions,
} from './common-options.ts';

/** What a verb reads beside its own words: nothing, a config that says where clusters are, a cluster. */
export type Reach = 'nothing' | 'place' | 'cluster';

export interface Declaration<
  A extends Arguments = Arguments,
  O extends Options = Options,
  R extends Reach = Reach,
> {
  /** `deploy`, or `config show` for a verb of a group. */
  readonly name: string;
  /** Short forms, as users of other tools know them. */
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** Whole sentences. Default: the summary. */
  readonly description?: string;
  readonly reach: R;
  readonly arguments: A;
  readonly options: O;
  readonly examples: readonly string[];
  /** It changes nothing: Ctrl-C and `--timeout` end it at once, whatever it waits for. */
  readonly readsOnly?: true;
  /**
   * It needs the whole configuration, and so runs the commands in it (`${exec:…}`). Others that change
   * nothing only look at clusters, and run none.
   */
  readonly readsConfig?: true;
  /** It is meant where only its group is named. */
  readonly isDefault?: true;
  /** It prints a list, also `-o wide` and `-o name`. */
  readonly lists?: true;
  /**
   * It takes the words behind `--` as a command, gives them as `behind` (`null` without `--`), and ends
   * with the command's exit code. Its own failures end with 125, so that scripts can tell them apart.
   */
  readonly runsCommand?: { readonly usage: string };
}

type ReachValues<R extends Reach> = R extends 'cluster'
  ? OptionValues<typeof placeOptions & typeof clusterOption>
  : R extends 'place'
    ? OptionValues<typeof placeOptions>
    : unknown;

/** What a verb was given, by the names of its declaration. */
export type Given<D> =
  D extends Declaration<infer A, infer O, infer R>
    ? OptionValues<A> &
        OptionValues<O> &
        ReachValues<R> & { readonly behind: readonly string[] | null }
    : never;

/** Says what a verb is. */
export const defineVerb = <
  const A extends Arguments,
  const O extends Options,
  const R extends Reach,
>(
  declaration: Declaration<A, O, R>,
): Declaration<A, O, R> => declaration;

export interface Verb extends Declaration {
  /** Loads what it does. `given` is what it declared. */
  readonly load: () => Promise<{
    run(context: Context, given: never): Promise<number | void>;
  }>;
}

/** Puts a declaration and the code that gets what it declares together. */
export const verb = <D extends Declaration>(
  declaration: D,
  load: () => Promise<{ run(context: Context, given: Given<D>): Promise<number | void> }>,
): Verb => ({ ...declaration, load });

/** All options of a verb, its own first. One that gives `-f` a meaning of its own has no `--file`. */
export function optionsOf({ options, reach }: Declaration): Options {
  const { configFile, ...place } = placeOptions;
  const isFree = Object.values(options).every(({ flags }) => !flags.startsWith('-f,'));
  return {
    ...options,
    ...(reach === 'cluster' && clusterOption),
    ...(reach !== 'nothing' && place),
    ...(reach !== 'nothing' && isFree && { configFile }),
    ...commonOptions,
  };
}

/** `fctl logs [cluster] [process] [options]` */
export function usageOf({ arguments: words, name, runsCommand }: Declaration): string {
  return [
    'fctl',
    name,
    ...Object.values(words).map(({ usage }) => usage),
    '[options]',
    ...(runsCommand ? [runsCommand.usage] : []),
  ].join(' ');
}
