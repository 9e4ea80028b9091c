package service

import (
	"fmt"
	"reflect"
	"strings"
)

// help is the text of --help: flag, variable and default of each setting.
func (set *settings) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s [flags]\n\n%s\n\n", set.kong.Model.Name, set.kong.Model.Help)
	b.WriteString("Each setting has a flag and a variable. The flag wins; an empty variable counts as unset.\n\n")
	for _, s := range set.list {
		fmt.Fprintf(&b, "  %s (%s)\n        %s\n", s.names(), s.limits(), s.help)
	}
	b.WriteString("  --help, -h\n        Print this text and exit.\n")
	b.WriteString("  --version\n        Print the version and exit.\n")
	return b.String()
}

func (s *setting) names() string {
	switch {
	case s.isSecret():
		return fmt.Sprintf("%s, or in a file: --%s=FILE, %s", s.variable(), s.fileFlag(), variableName(s.fileFlag()))
	case s.field.Kind() == reflect.Bool:
		return fmt.Sprintf("--%s[=%s], %s", s.flag, s.placeholder(), s.variable())
	default:
		return fmt.Sprintf("--%s=%s, %s", s.flag, s.placeholder(), s.variable())
	}
}

// placeholder stands for the value of the flag.
func (s *setting) placeholder() string {
	switch {
	case s.isSecret():
		return "FILE"
	case s.tag.PlaceHolder != "":
		return s.tag.PlaceHolder
	case s.tag.Enum != "":
		return strings.ReplaceAll(s.tag.Enum, ",", "|")
	case s.field.Kind() == reflect.Bool:
		return "true|false"
	case s.field.Type() == reflect.TypeFor[string]():
		return "TEXT"
	default:
		return strings.ToUpper(s.field.Type().Name())
	}
}

// limits are the default and the range.
func (s *setting) limits() string {
	text := "no default"
	switch {
	case s.fallback != "":
		text = fmt.Sprintf("default :$%s, without that %s", s.fallback, s.def)
	case s.def != "":
		text = "default " + s.def
	}
	if limits := s.rangeText(); limits != "" {
		text += "; " + limits
	}
	return text
}
