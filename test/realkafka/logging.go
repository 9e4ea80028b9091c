package realkafka

// logging is a library's way to send the log of a broker to its output, but for the values of its some hundred
// properties.
type logging struct {
	file   string // name of the configuration
	option string // of java that is followed by its path
	text   string
}

// log4j2 is what Apache Kafka 4 is shipped with.
var log4j2 = logging{
	file: "log4j2.properties", option: "-Dlog4j2.configurationFile=",
	text: `rootLogger.level = INFO
rootLogger.appenderRefs = stdout
rootLogger.appenderRef.stdout.ref = STDOUT
appender.stdout.type = Console
appender.stdout.name = STDOUT
appender.stdout.layout.type = PatternLayout
appender.stdout.layout.pattern = %d{HH:mm:ss.SSS} %-5p %c{1}: %m%n
logger.values.name = kafka.server.KafkaConfig
logger.values.level = WARN
logger.otherValues.name = org.apache.kafka.common.config.AbstractConfig
logger.otherValues.level = WARN
`,
}

// log4j1 is what Apache Kafka had before.
var log4j1 = logging{
	file: "log4j.properties", option: "-Dlog4j.configuration=file:",
	text: `log4j.rootLogger=INFO, stdout
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
log4j.appender.stdout.layout.ConversionPattern=%d{HH:mm:ss.SSS} %-5p %c{1}: %m%n
log4j.logger.kafka.server.KafkaConfig=WARN
log4j.logger.org.apache.kafka.common.config.AbstractConfig=WARN
`,
}
