package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// machine says what the figures depend on.
func machine(root string) (string, error) {
	kafka, err := kafkaVersion(root)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: %d cores (%s), %s of memory, %s, %s/%s; Apache Kafka %s and InfluxDB 1.8.10 on the same cores.",
		time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), processor(), memorySize(), runtime.Version(),
		runtime.GOOS, runtime.GOARCH, kafka), nil
}

var kafkaDependency = regexp.MustCompile(`(?s)<artifactId>kafka_2\.13</artifactId>\s*<version>([^<]+)</version>`)

// kafkaVersion is the release that test/kafka-4 pins.
func kafkaVersion(root string) (string, error) {
	pom := filepath.Join(root, "test", "kafka-4", "pom.xml")
	text, err := os.ReadFile(pom)
	if err != nil {
		return "", err
	}
	found := kafkaDependency.FindSubmatch(text)
	if found == nil {
		return "", fmt.Errorf("%s names no version of kafka_2.13", pom)
	}
	return string(found[1]), nil
}

// processor is its name, where Linux tells it.
func processor() string {
	if model := field("/proc/cpuinfo", "model name"); model != "" {
		return model
	}
	return "processor unknown"
}

func memorySize() string {
	kilobytes, err := strconv.ParseInt(strings.TrimSuffix(field("/proc/meminfo", "MemTotal"), " kB"), 10, 64)
	if err != nil {
		return "an unknown size"
	}
	return fmt.Sprintf("%.1f GB", float64(kilobytes)*1024/1e9)
}

// field is the value of a line "name : value" of a file, empty where there is none.
func field(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// checkout is the root of the sources: the next folder upwards that has the go.mod of the services.
func checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for start := dir; ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		if strings.HasPrefix(string(text), "module fintrans\n") {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no folder from %s upwards is a checkout of fintrans: run it there, or with make bench", start)
		}
	}
}
