package service

import (
	"encoding"
	"fmt"
	"math"
	"testing"
	"time"
)

func TestAcceptedValues(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		into encoding.TextUnmarshaler
		want string
	}{
		{"a:1", new(Addresses), "a:1"},
		{" a:1 ,b.example:65535", new(Addresses), "a:1,b.example:65535"},
		{"[::1]:9092,[fe80::1%eth0]:1", new(Addresses), "[::1]:9092,[fe80::1%eth0]:1"},
		{":0", new(Listen), ":0"},
		{"0.0.0.0:80", new(Listen), "0.0.0.0:80"},
		{"2", new(Seconds), "2"},
		{"0.050", new(Seconds), "0.05"},
		{"0.000000001", new(Seconds), "0.000000001"},
		{"9223372036.854775807", new(Seconds), "9223372036.854775807"},
		{"0", new(Duration), "0"},
		{"3600s", new(Duration), "1h"},
		{"90s", new(Duration), "1m30s"},
		{"10m", new(Duration), "10m"},
		{"1h0m1s", new(Duration), "1h0m1s"},
		{"1.5s", new(Duration), "1.5s"},
		{"http://influx:8086/", new(URL), "http://influx:8086"},
		{"HTTPS://[::1]/proxy/influx//", new(URL), "https://[::1]/proxy/influx"},
		{"18446744073709551615", new(Count), "18446744073709551615"},
		{"1e-3", new(Number), "0.001"},
		{"-2.5", new(Number), "-2.5"},
		{"1048576", new(Bytes), "1MiB"},
		{"1536B", new(Bytes), "1536"},
		{"3GiB", new(Bytes), "3GiB"},
		{"0", new(Bytes), "0"},
		{"YES", new(Bool), "true"},
		{"0", new(Bool), "false"},
		{"warn", new(LogLevel), "warning"},
		{"DEBUG", new(LogLevel), "debug"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%T %s", tt.into, tt.text), func(t *testing.T) {
			t.Parallel()
			if err := tt.into.UnmarshalText([]byte(tt.text)); err != nil {
				t.Fatal(err)
			}
			if got := text(tt.into); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// text is how a settings value is logged.
func text(v encoding.TextUnmarshaler) string {
	switch v := v.(type) {
	case *Addresses:
		return fmt.Sprint(*v)
	case *Listen:
		return fmt.Sprint(*v)
	case *Seconds:
		return fmt.Sprint(*v)
	case *Duration:
		return fmt.Sprint(*v)
	case *URL:
		return fmt.Sprint(*v)
	case *Count:
		return fmt.Sprint(*v)
	case *Number:
		return fmt.Sprint(*v)
	case *Bytes:
		return fmt.Sprint(*v)
	case *Bool:
		return fmt.Sprint(*v)
	case *LogLevel:
		return fmt.Sprint(*v)
	}
	panic(fmt.Sprintf("no case for %T", v))
}

func settingsTypes() []encoding.TextUnmarshaler {
	return []encoding.TextUnmarshaler{
		new(Addresses), new(Listen), new(Seconds), new(Duration), new(URL),
		new(Count), new(Number), new(Bytes), new(Bool), new(LogLevel),
	}
}

// Any text is either refused, with an error of one line, or accepted, and then what the value prints is
// accepted too and prints the same.
func FuzzSettingsTypes(f *testing.F) {
	for _, seed := range []string{
		"", "0", "2", "0.05", "-1", "1h30m", "1us", "a:1,b:2", "[::1]:80", "[fe80::1%a]:1", ":0", "http://h:1/p%2F/", "https://[::1]/",
		"http://u:p@h/", "1KiB", "9223372036854775807B", "8589934592GiB", "NaN", "0x1p-2", "1e308", "true", "info", "fatal", "\xff\n,@",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		again := settingsTypes()
		for i, v := range settingsTypes() {
			if err := v.UnmarshalText([]byte(input)); err != nil {
				if oneLine(err.Error()) != err.Error() {
					t.Errorf("%T: the error is more than one line: %q", v, err)
				}
				continue
			}
			printed := text(v)
			if err := again[i].UnmarshalText([]byte(printed)); err != nil {
				t.Errorf("%T accepts %q but not what it prints for it, %q: %v", v, input, printed, err)
			} else if text(again[i]) != printed {
				t.Errorf("%T: %q prints %q, which prints %q", v, input, printed, text(again[i]))
			}
		}
	})
}

func TestDurations(t *testing.T) {
	t.Parallel()
	if got, want := Seconds(math.MaxInt64).Duration(), time.Duration(math.MaxInt64); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := Duration(time.Hour).Duration(), time.Hour; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := Duration(90*time.Second).Milliseconds(), int64(90_000); got != want {
		t.Errorf("got %d, want %d", got, want)
	}
}
