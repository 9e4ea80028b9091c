import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.SlidingWindows;

/** What one would write with Kafka Streams: the sum of each pair in a sliding hour, and an alert above $10,000. */
public final class PairSums {
    public static void main(String[] args) throws InterruptedException {
        var settings = new Properties();
        settings.put("bootstrap.servers", args[0]);
        settings.put("application.id", args[1]);
        settings.put("state.dir", args[2]);
        settings.put("auto.offset.reset", "earliest");

        var read = new AtomicLong();
        var builder = new StreamsBuilder();
        builder.stream(List.of("London", "NYC", "SF", "Moscow", "Tokyo"), Consumed.with(Serdes.String(), Serdes.String()))
            .peek((pair, value) -> read.incrementAndGet())
            .mapValues(value -> Long.parseLong(value.substring(value.lastIndexOf(' ') + 1)))
            .groupByKey(Grouped.with(Serdes.String(), Serdes.Long()))
            .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(Duration.ofHours(1), Duration.ofMinutes(10)))
            .reduce(Long::sum)
            .toStream()
            .filter((pair, total) -> total > 10_000)
            .foreach((pair, total) -> System.out.println(
                "POTENTIAL MONEY LAUNDERING: " + pair.key().replace(" ", " -> ") + " totalling " + total + " now"));

        var streams = new KafkaStreams(builder.build(), settings);
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
        while (true) { // for the bench, which measures it from its first record to its last
            System.out.println("read " + read.get());
            Thread.sleep(10);
        }
    }
}
