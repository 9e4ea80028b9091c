package cases

import (
	"regexp"
	"strconv"
)

// good is the value of a transaction; leading zeros do not matter.
var good = regexp.MustCompile(`^([0-9]+) ([0-9]+) ([0-9]+)$`)

// parse reads a record's value: source, target and amount, each below 2^32.
func parse(value []byte) (numbers [3]int64, ok bool) {
	found := good.FindSubmatch(value)
	if found == nil {
		return numbers, false
	}
	for i := range numbers {
		n, err := strconv.ParseUint(string(found[i+1]), 10, 32)
		if err != nil {
			return numbers, false
		}
		numbers[i] = int64(n)
	}
	return numbers, true
}
