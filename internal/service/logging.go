package service

import (
	"fmt"
	"io"

	"github.com/sirupsen/logrus"
)

// newLogger makes the logger that the settings ask for. The formatter colours its lines only on a terminal.
func newLogger(c Common, stderr io.Writer) *logrus.Logger {
	log := logrus.New()
	log.SetOutput(stderr)
	level, err := logrus.ParseLevel(string(c.LogLevel))
	if err != nil { // LogLevel has refused such values; logrus would fall silent
		level = logrus.InfoLevel
	}
	log.SetLevel(level)
	if c.LogFormat == "json" {
		log.SetFormatter(&logrus.JSONFormatter{})
	} else {
		log.SetFormatter(&logrus.TextFormatter{FullTimestamp: true})
	}
	return log
}

// logStart logs which build starts with which settings; secrets mask themselves. The fields have the names of the
// variables, so that they cannot clash with others.
func logStart(log *logrus.Logger, build Build, set *settings) {
	fields := logrus.Fields{"version": build.Version, "commit": build.Commit, "go": build.Go}
	for _, s := range set.list {
		fields[s.variable()] = fmt.Sprint(s.field.Interface())
	}
	log.WithFields(fields).Info("starting")
}
