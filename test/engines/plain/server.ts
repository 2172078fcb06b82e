/**
 * The JobManager of the plain engine: one job, and a protocol of its own, which is neither JSON nor anything
 * that fctl knows. It knows no record: that is the companion's business.
 *
 *     GET /state            key = value lines: cluster, release, epoch, greeting, job state and start
 *     POST /hello/NAME      a worker is there
 *     POST /stop            the job is cancelled
 */
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Conf, formatConf } from './conf.ts';

export type JobState = 'RUNNING' | 'FINISHED' | 'CANCELED';

export class PlainServer {
  readonly startedAt = Date.now();
  readonly #server: Server;
  readonly #workers = new Set<string>();
  readonly #ended = Promise.withResolvers<JobState>();
  #state: JobState = 'RUNNING';

  /** @param about what it shows beside its job. */
  constructor(conf: Conf, about: Readonly<Record<string, string>>) {
    this.#server = createServer((request, response) => {
      const [, verb, name] = request.url!.split('/');
      if (request.method === 'POST' && verb === 'hello') this.#workers.add(name!);
      if (request.method === 'POST' && verb === 'stop') this.end('CANCELED');
      response.end(
        formatConf({
          ...about,
          greeting: conf.get('greeting')!,
          ends: conf.get('ends')!,
          job: this.#state,
          started: String(this.startedAt),
          workers: [...this.#workers].join(','),
        }),
      );
    });
    const ends = Number(conf.get('ends'));
    if (!Number.isNaN(ends)) setTimeout(() => this.end('FINISHED'), ends).unref();
  }

  /** How its job ended. */
  get ended(): Promise<JobState> {
    return this.#ended.promise;
  }

  end(state: JobState): void {
    if (this.#state !== 'RUNNING') return;
    this.#state = state;
    this.#ended.resolve(state);
  }

  /** @returns the port. */
  async listen(host: string, port: number): Promise<number> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
