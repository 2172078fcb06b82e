import java.util.Arrays;
import java.util.Iterator;
import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.streaming.api.functions.sink.PrintSink;

/**
 * The twin of jobs.ts: numbers, keyed by their last digit, counted, and thrown away or printed. No
 * checkpoints.
 *
 * <p>Arguments, each a word and its value: name (contract), count (0: without end), rate (100 a second;
 * 0: as fast as it goes), failAt (never; the number that throws), sink (discard; print).
 */
public class TestJob {
    public static void main(String[] arguments) throws Exception {
        String name = "contract";
        String sink = "discard";
        long count = 0;
        long rate = 100;
        long failAt = -1;
        for (Iterator<String> words = Arrays.asList(arguments).iterator(); words.hasNext(); ) {
            String word = words.next();
            String value = words.next();
            switch (word) {
                case "name" -> name = value;
                case "sink" -> sink = value;
                case "count" -> count = Long.parseLong(value);
                case "rate" -> rate = Long.parseLong(value);
                case "failAt" -> failAt = Long.parseLong(value);
                default -> throw new IllegalArgumentException("unknown argument " + word);
            }
        }
        Configuration settings = new Configuration();
        settings.setString("restart-strategy.type", "none");
        var env = StreamExecutionEnvironment.getExecutionEnvironment(settings);
        var numbers =
                new DataGeneratorSource<Long>(
                        index -> index,
                        count == 0 ? Long.MAX_VALUE : count,
                        rate == 0 ? RateLimiterStrategy.noOp() : RateLimiterStrategy.perSecond(rate),
                        Types.LONG);
        var counted =
                env.fromSource(numbers, WatermarkStrategy.noWatermarks(), "numbers")
                        .keyBy(number -> number % 10)
                        .map(new Counting(failAt))
                        .name("count");
        counted.sinkTo(sink.equals("print") ? new PrintSink<>() : new DiscardingSink<>()).name(sink);
        env.execute(name);
    }

    private static final class Counting extends RichMapFunction<Long, Long> {
        private final long failAt;
        private final LongCounter records = new LongCounter();

        private Counting(long failAt) {
            this.failAt = failAt;
        }

        @Override
        public void open(OpenContext context) {
            getRuntimeContext().addAccumulator("records", records);
        }

        @Override
        public Long map(Long number) {
            if (number == failAt) throw new IllegalStateException("fails at " + number + ", as told");
            records.add(1L);
            return number;
        }
    }
}
