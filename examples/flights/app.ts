/** Delays of US flights: a day's statistics of every airport, then a ranking of the airports. */
import {
  type ApplicationContext,
  EndOfStreamWindows,
  FileSink,
  FileSource,
  TumblingEventTimeWindows,
  type TypeOf,
  defineJob,
  monotonousTimestamps,
  types,
} from 'fctl';

const flight = types.record({ date: types.timestamp, delay: types.int32, origin: types.string });

const airportDay = types.record({
  origin: types.string,
  day: types.timestamp,
  flights: types.int32,
  meanDelay: types.double,
  lateShare: types.double,
});

const ranked = types.record({
  rank: types.int32,
  origin: types.string,
  flights: types.int32,
  meanDelay: types.double,
});

const paths = types.record({ input: types.string, output: types.string });

/** A flight counts as late from this many minutes on. */
const lateMinutes = 15;

export const delays = defineJob('delays', { args: paths }, (env, { input, output }) => {
  env
    // The file is sorted by date and its row groups are handed out in order: nothing is ever late.
    .fromSource(FileSource.parquet(input, flight), {
      watermarks: monotonousTimestamps((f) => f.date),
    })
    .keyBy('origin')
    .window(TumblingEventTimeWindows.of('1d'))
    .aggregate(
      {
        createAccumulator: () => ({ flights: 0, delay: 0, late: 0 }),
        add: (f, sums) => {
          sums.flights++;
          sums.delay += f.delay;
          if (f.delay >= lateMinutes) sums.late++;
          return sums;
        },
        getResult: (sums) => sums,
        merge: (a, b) => ({
          flights: a.flights + b.flights,
          delay: a.delay + b.delay,
          late: a.late + b.late,
        }),
      },
      (origin, window, [sums], out) => {
        const { flights, delay, late } = sums!;
        out.collect({
          origin,
          day: window.start,
          flights,
          meanDelay: delay / flights,
          lateShare: late / flights,
        });
      },
      { type: airportDay },
    )
    .sinkTo(
      FileSink.csv<TypeOf<typeof airportDay>>(output, {
        type: airportDay,
        format: { day: 'date', meanDelay: 3, lateShare: 3 },
      }),
    );
});

/** By what the files of the first job say: means of three decimals. The README tells what that changes. */
export const ranking = defineJob('ranking', { args: paths }, (env, { input, output }) => {
  env
    .fromSource(FileSource.csv(input, airportDay))
    .keyBy('origin')
    .window(EndOfStreamWindows.get())
    .aggregate(
      {
        createAccumulator: () => ({ flights: 0, delay: 0 }),
        add: (day, sums) => {
          sums.flights += day.flights;
          sums.delay += day.flights * day.meanDelay;
          return sums;
        },
        getResult: (sums) => sums,
        merge: (a, b) => ({ flights: a.flights + b.flights, delay: a.delay + b.delay }),
      },
      (origin, _window, [sums], out) => {
        const { flights, delay } = sums!;
        out.collect({ rank: 0, origin, flights, meanDelay: delay / flights });
      },
      { type: ranked },
    )
    .windowAll(EndOfStreamWindows.get())
    .apply<TypeOf<typeof ranked>>(
      (_key, _window, airports, out) => {
        const worstFirst = [...airports].sort(
          (a, b) => b.meanDelay - a.meanDelay || (a.origin < b.origin ? -1 : 1),
        );
        for (const [index, airport] of worstFirst.entries()) {
          out.collect({ ...airport, rank: index + 1 });
        }
      },
      { type: ranked },
    )
    .sinkTo(FileSink.csv<TypeOf<typeof ranked>>(output, { type: ranked, format: { meanDelay: 3 } }))
    .setParallelism(1);
});

export async function main(ctx: ApplicationContext): Promise<void> {
  const { flights, output } = ctx.args as { flights: string; output: string };
  await ctx.execute(delays, { input: flights, output: `${output}/delays` });
  await ctx.execute(ranking, { input: `${output}/delays`, output: `${output}/ranking` });
}
