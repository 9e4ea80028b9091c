package preview

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// exact writes the value of a stat with all its digits.
func exact(value float64, unit string, decimals int, now time.Time) string {
	switch unit {
	case "currencyUSD":
		return "$" + grouped(value, decimals)
	case "dateTimeFromNow":
		return humanize.RelTime(time.UnixMilli(int64(value)), now, "ago", "from now")
	}
	return grouped(value, decimals)
}

// grouped writes a number with separators between thousands.
func grouped(value float64, decimals int) string {
	return humanize.FormatFloat("#,###."+strings.Repeat("#", decimals), value)
}

// short writes the value of an axis.
func short(unit string) func(float64) string {
	return func(value float64) string {
		switch unit {
		case "currencyUSD":
			return "$" + thousands(value)
		case "percent":
			return fmt.Sprintf("%.0f %%", value)
		case "s":
			return thousands(value) + " s"
		case "bytes":
			return humanize.IBytes(uint64(max(0, value)))
		}
		return thousands(value)
	}
}

// thousands writes 12500 as 12.5 k.
func thousands(value float64) string {
	for _, step := range []struct {
		size float64
		name string
	}{{1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if math.Abs(value) >= step.size {
			return humanize.FtoaWithDigits(value/step.size, 2) + step.name
		}
	}
	return humanize.FtoaWithDigits(value, 2)
}
