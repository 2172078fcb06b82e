import { once } from 'node:events';
import { type Server, type Socket, connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { systemClock } from '../../../../src/contract/clock.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { types } from '../../../../src/api/types.ts';
import { BufferPool } from '../../../../src/runtime/stream/network/buffer-pool.ts';
import { DATA_PROTOCOL_VERSION } from '../../../../src/runtime/stream/network/hello.ts';
import {
  FRAME_HEADER_BYTES,
  FrameParser,
  FrameType,
  textFrame,
  writeHeader,
} from '../../../../src/runtime/stream/network/tcp-frames.ts';
import { PeerLostError } from '../../../../src/runtime/stream/network/peer-lost-error.ts';
import { dialTcpLink } from '../../../../src/runtime/stream/network/tcp-links.ts';
import { type Pair, Recorder, connectPair, identity } from './channels.ts';

let pair: Pair;
let recorder: Recorder;
const sockets: Socket[] = [];
const servers: Server[] = [];

beforeEach(async () => {
  recorder = new Recorder();
  pair = await connectPair('other process', types.string, recorder);
  pair.consume();
  await pair.producer.writable();
});
afterEach(async () => {
  await pair.close();
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** Sends bytes to the data port and resolves to what came back when it was closed. */
async function attack(...frames: Uint8Array[]): Promise<string> {
  const socket = connect(pair.consumerPort, '127.0.0.1');
  sockets.push(socket);
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
  socket.on('error', () => {});
  for (const frame of frames) socket.write(frame);
  await new Promise((resolve) => socket.once('close', resolve));
  return answer;
}

const good = {
  ...identity,
  allocationId: 'right',
  protocol: DATA_PROTOCOL_VERSION,
  from: 'mallory',
};
const hello = (over: object = {}) =>
  textFrame(FrameType.hello, 0, JSON.stringify({ ...good, ...over }));

function dataFrame(channel: number, length: number): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + length);
  writeHeader(frame, frame.length, FrameType.data, channel);
  return frame;
}

/** The channel that was there before goes on as if nothing had happened. */
async function expectUnharmed(): Promise<void> {
  pair.writer.record('still here', 1);
  pair.writer.end();
  await recorder.ended;
  expect(recorder.elements).toHaveLength(2);
}

describe('the data port', () => {
  it.each([
    ['a wrong token', { token: 'guess' }, /token is missing or wrong/],
    ['no token', { token: undefined }, /token is missing or wrong/],
    ['another cluster', { clusterId: 'x' }, /clusterId is x/],
    ['another job', { jobId: 'x' }, /jobId is x/],
    ['an old attempt', { jobAttempt: -1 }, /jobAttempt is -1/],
    ['another slot', { allocationId: 'x' }, /allocationId is x/],
    ['another protocol', { protocol: 99 }, /version 99 of the data protocol/],
  ])('refuses %s, and says why', async (_name, over, why) => {
    expect(await attack(hello(over))).toMatch(why);
    expect(pair.warnings.join()).toMatch(why);
    await expectUnharmed();
  });

  it('tells nothing but the token to somebody without it', async () => {
    expect(await attack(hello({ token: 'guess', jobId: 'x' }))).not.toContain('jobId');
  });

  it('closes connections that send garbage', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 9, maxLength: 300 }), async (bytes) => {
        // A length that promises more than was sent would only be waited for.
        bytes[3] = 0xff;
        await attack(bytes);
      }),
      { numRuns: 50 },
    );
    await expectUnharmed();
  });

  it.each([
    ['data before the handshake', [dataFrame(0, 4)], /does not begin with a handshake|at most/],
    [
      'a handshake that is too large',
      [textFrame(FrameType.hello, 0, 'x'.repeat(5000))],
      /at most 4096/,
    ],
    ['a frame that is too large', [hello(), dataFrame(0, 2_000_000)], /at most/],
    [
      'data on a channel that is not open',
      [hello(), dataFrame(7, 4)],
      /channel 7, which is not open/,
    ],
    [
      'a channel twice',
      [hello(), textFrame(FrameType.open, 1, 'k'), textFrame(FrameType.open, 1, 'k')],
      /channel 1 twice/,
    ],
    ['a frame of unknown type', [hello(), textFrame(99 as never, 1, 'k')], /unknown type 99/],
    ['a second handshake', [hello(), hello()], /unknown type 1/],
  ])('closes a connection that sends %s', async (_name, frames, why) => {
    await attack(...frames);
    expect(pair.warnings.join()).toMatch(why);
    await expectUnharmed();
  });

  it('closes a connection that opens a channel that has a producer', async () => {
    await attack(hello(), textFrame(FrameType.open, 0, 'edge|0|0'));
    expect(pair.warnings.join()).toMatch(/edge\|0\|0, which has a producer/);
    await expectUnharmed();
  });

  it('closes a connection that ignores its credit, and has kept no more than that', async () => {
    const received: Uint8Array[] = [];
    pair.acceptOther('edge|1|0', {
      opened: () => {},
      received: (bytes) => received.push(bytes),
      lost: () => {},
    });
    const frames = Array.from({ length: 20 }, () => dataFrame(0, 500));
    await attack(hello(), textFrame(FrameType.open, 0, 'edge|1|0'), ...frames);
    expect(pair.warnings.join()).toMatch(/channel 0 without credit/);
    expect(received).toHaveLength(2);
    await expectUnharmed();
  });
});

describe('a lost connection', () => {
  it('fails a producer whose peer hangs up', async () => {
    expect((await lostByHangingUp()).message).toMatch(/data connection to nowhere .* is lost/);
  });

  it.each(['same process', 'other process'] as const)(
    'to the %s fails the consumer when the producer goes away before the end, as a consequence',
    async (transport) => {
      const other = await connectPair(transport, types.string, new Recorder());
      other.consume();
      await other.producer.writable();
      // The producer's slot closes: no end was sent.
      await other.closeProducer();
      const lost = await other.inputLost;
      expect(lost).toBeInstanceOf(PeerLostError);
      expect(lost.message).toMatch(/data connection from .*left is lost/);
      await other.close();
    },
  );

  it.each(['same process', 'other process'] as const)(
    'to the %s fails the producer when the consumer goes away, as a consequence',
    async (transport) => {
      const other = await connectPair(transport, types.string, new Recorder());
      await other.producer.writable();
      await other.closeConsumer();
      const lost = await other.producer.lost;
      expect(lost).toBeInstanceOf(PeerLostError);
      expect(lost.message).toMatch(/data connection to .*taskmanager-1 .*is lost/);
      await other.close();
    },
  );

  it('fails nobody after the end', async () => {
    const done = new Recorder();
    const other = await connectPair('other process', types.string, done);
    other.consume();
    await other.producer.writable();
    other.writer.end();
    while (!other.writer.isDrained) await other.producer.news();
    await other.closeProducer();
    const failed = await Promise.race([
      other.inputLost.then(() => true),
      new Promise((resolve) => setTimeout(() => resolve(false), 50)),
    ]);
    expect(failed).toBe(false);
    await other.close();
  });
});

/** Dials a server that closes every connection. */
async function lostByHangingUp(): Promise<Error> {
  const server = createServer((socket) => socket.destroy());
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve) => {
    const link = dialTcpLink({
      host: '127.0.0.1',
      port,
      hello: good,
      peer: `nowhere (127.0.0.1:${port})`,
      connectTimeoutMs: 1000,
      pool: new BufferPool(256, 1),
      clock: systemClock,
    });
    link.open('k', { accepted: () => {}, returned: () => {}, lost: resolve });
  });
}

describe('FrameParser', () => {
  it('finds the same frames however the stream is cut', () => {
    const frame = fc.tuple(
      fc.integer({ min: 1, max: 6 }),
      fc.nat(1000),
      fc.string({ maxLength: 50 }),
    );
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 40 })),
        (frames, cuts) => {
          const stream = Buffer.concat(
            frames.map(([type, channel, body]) => textFrame(type as FrameType, channel, body)),
          );
          const found: [number, number, string][] = [];
          const parser = new FrameParser(1000, (type, channel, body) => {
            found.push([type, channel, Buffer.from(body).toString()]);
          });
          let at = 0;
          for (const cut of [...cuts, stream.length]) {
            parser.push(stream.subarray(at, at + cut));
            at += cut;
          }
          if (at < stream.length) parser.push(stream.subarray(at));
          expect(found).toEqual(
            frames.map(([type, channel, body]) => [type, channel, Buffer.from(body).toString()]),
          );
        },
      ),
    );
  });
});
