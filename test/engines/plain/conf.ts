/** The config file of the plain engine: `key = value` lines, which are no JSON. */

export type Conf = ReadonlyMap<string, string>;

export const formatConf = (conf: Readonly<Record<string, string>>): string =>
  `# of the plain engine\n${Object.entries(conf)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('')}`;

export const parseConf = (text: string): Conf =>
  new Map(
    text.split('\n').flatMap((line) => {
      const [, key, value] = /^([\w.-]+) = (.*)$/.exec(line) ?? [];
      return key === undefined ? [] : [[key, value!] as const];
    }),
  );
