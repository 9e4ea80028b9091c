package service

import (
	"cmp"
	"encoding"
	"reflect"
)

// checkRange compares the field with its tags min and max, which are written as its values are.
func (s *setting) checkRange(text string) error {
	for _, limit := range []struct {
		tag  string
		sign int // of the comparison that is out of range
	}{{"min", -1}, {"max", 1}} {
		if !s.tag.Has(limit.tag) {
			continue
		}
		bound := reflect.New(s.field.Type())
		if err := bound.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s.tag.Get(limit.tag))); err != nil {
			return err
		}
		if compare(s.field, bound.Elem()) == limit.sign {
			return invalid(text, "is out of range", s.rangeText())
		}
	}
	return nil
}

// rangeText describes the tags min and max, "" without.
func (s *setting) rangeText() string {
	low, high := s.tag.Get("min"), s.tag.Get("max")
	switch {
	case s.tag.Has("min") && s.tag.Has("max"):
		return "from " + low + " to " + high
	case s.tag.Has("min"):
		return "at least " + low
	case s.tag.Has("max"):
		return "at most " + high
	}
	return ""
}

// compare orders two numbers of the same kind.
func compare(a, b reflect.Value) int {
	switch {
	case a.CanInt():
		return cmp.Compare(a.Int(), b.Int())
	case a.CanUint():
		return cmp.Compare(a.Uint(), b.Uint())
	default:
		return cmp.Compare(a.Float(), b.Float())
	}
}
