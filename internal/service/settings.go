package service

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

var (
	errHelp    = errors.New("help was asked for")
	errVersion = errors.New("the version was asked for")
)

// settings are the fields of a service's configuration struct. kong reads the struct's tags and the command
// line; where a value comes from and what is wrong with it is decided here, the same way for flags and variables.
type settings struct {
	kong *kong.Kong
	cfg  any // pointer to the struct
	list []*setting
}

// setting is one field: the flag, the variable whose name follows from it, and what was given.
type setting struct {
	flag     string // without the hyphens
	fallback string // another variable, which holds a port: Marathon's PORT0
	help     string
	def      string
	hasDef   bool
	tag      *kong.Tag
	field    reflect.Value
	given    bool // by flag
	text     string
}

// variableName is the one rule between the two names of a setting.
func variableName(flag string) string {
	return strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func (s *setting) variable() string { return variableName(s.flag) }

func (s *setting) isSecret() bool { return s.field.Type() == reflect.TypeFor[Secret]() }

// newSettings reads the tags of the *cfg of a service. Its errors are mistakes in the struct.
func newSettings(name, description string, cfg any) (*settings, error) {
	if _, ok := cfg.(interface{ common() Common }); !ok {
		return nil, fmt.Errorf("%T does not embed service.Common", cfg)
	}
	return readTags(name, description, cfg)
}

// ReadSettings fills *cfg, a struct with fields like those of a service's settings, for a program that
// is none: by the same rules and with the same words. An answer that is not empty is the text that --help
// or --version asked for, and the program is to end with ExitOK; after an error, which is one line, with
// ExitUsage.
func ReadSettings(name, description string, cfg any, args []string, environ func(string) (string, bool)) (answer string, err error) {
	set, err := readTags(name, description, cfg)
	if err == nil {
		err = set.parse(args, environ)
	}
	switch {
	case errors.Is(err, errHelp):
		return set.help(), nil
	case errors.Is(err, errVersion):
		return versionLine(name, CurrentBuild()), nil
	case err != nil:
		return "", errors.New(oneLine(err.Error()))
	}
	return "", nil
}

// readTags is newSettings for any struct.
func readTags(name, description string, cfg any) (*settings, error) {
	k, err := kong.New(cfg, kong.Name(name), kong.Description(description))
	if err != nil {
		return nil, err
	}
	set := &settings{kong: k, cfg: cfg}
	for _, flag := range k.Model.Flags {
		if flag == k.Model.HelpFlag {
			continue
		}
		if err := set.add(flag); err != nil {
			return nil, err
		}
	}
	return set, nil
}

func (set *settings) add(flag *kong.Flag) error {
	if flag.Target.Type() == reflect.TypeFor[VersionFlag]() {
		return nil
	}
	s := &setting{
		flag: flag.Name, help: flag.Help, tag: flag.Tag, field: flag.Target,
		def: flag.Default, hasDef: flag.HasDefault, fallback: flag.Tag.Get("fallback"),
	}
	_, readsText := flag.Target.Addr().Interface().(encoding.TextUnmarshaler)
	switch {
	case len(flag.Tag.Envs) > 0:
		return fmt.Errorf("--%s: has an env tag, but its variable is always %s", s.flag, s.variable())
	case !readsText && flag.Target.Kind() != reflect.String:
		return fmt.Errorf("--%s: %s is not a type for settings", s.flag, flag.Target.Type())
	}
	set.list = append(set.list, s)
	if !s.isSecret() {
		flag.Mapper = collector{s}
		return nil
	}
	flag.Mapper = secretFlag{}
	flag.Hidden = true
	file := &kong.Flag{Value: &kong.Value{
		Name: s.fileFlag(), Tag: flag.Tag, Mapper: collector{s}, Target: reflect.New(reflect.TypeFor[string]()).Elem(),
	}}
	file.Value.Flag = file
	set.kong.Model.Flags = append(set.kong.Model.Flags, file)
	return nil
}

// parse fills the struct from args and environ and validates it.
func (set *settings) parse(args []string, environ func(string) (string, bool)) error {
	// kong's Trace, not its Parse: the latter would apply defaults, variables and validators in its own way and words.
	trace, err := kong.Trace(set.kong, args)
	if err != nil {
		return err
	}
	for _, path := range trace.Path {
		switch {
		case path.Flag == nil:
		case path.Flag == set.kong.Model.HelpFlag:
			return errHelp
		case path.Flag.Target.Type() == reflect.TypeFor[VersionFlag]():
			return errVersion
		}
	}
	if trace.Error != nil {
		var own *usageError
		if errors.As(trace.Error, &own) {
			return own
		}
		return fmt.Errorf("%w; see --help", trace.Error)
	}
	for _, s := range set.list {
		if err := s.resolve(environ); err != nil {
			return err
		}
	}
	return validate(reflect.ValueOf(set.cfg).Elem())
}

// resolve sets the field. This is the precedence: flag, environment, default.
func (s *setting) resolve(environ func(string) (string, bool)) error {
	if s.isSecret() {
		return s.resolveSecret(environ)
	}
	if s.given {
		return s.decode("--"+s.flag, s.text)
	}
	if text := lookup(environ, s.variable()); text != "" {
		return s.decode(s.variable(), text)
	}
	if s.fallback != "" {
		if port := lookup(environ, s.fallback); port != "" {
			return s.decode(s.fallback, ":"+port)
		}
	}
	if s.hasDef {
		return s.decode("default of --"+s.flag, s.def)
	}
	return nil
}

// lookup is the variable's value; an empty one counts as unset.
func lookup(environ func(string) (string, bool), name string) string {
	text, _ := environ(name)
	return text
}

// decode sets the field to text, which came from where name says.
func (s *setting) decode(name, text string) error {
	var err error
	switch target := s.field.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		if err = target.UnmarshalText([]byte(text)); err == nil {
			err = s.checkRange(text)
		}
	default:
		if err = s.checkChoice(text); err == nil {
			s.field.SetString(text)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (s *setting) checkChoice(text string) error {
	if s.tag.Enum == "" {
		return nil
	}
	choices := strings.Split(s.tag.Enum, ",")
	for _, choice := range choices {
		if text == choice {
			return nil
		}
	}
	return invalid(text, "is not a choice", strings.Join(choices, " or "))
}

// validate calls the Validate methods of the struct and of those that it embeds, innermost first.
func validate(v reflect.Value) error {
	for i := range v.NumField() {
		if field := v.Type().Field(i); field.Anonymous && v.Field(i).Kind() == reflect.Struct {
			if err := validate(v.Field(i)); err != nil {
				return err
			}
		}
	}
	if check, ok := v.Addr().Interface().(interface{ Validate() error }); ok {
		return check.Validate()
	}
	return nil
}

// usageError is an error of the command line in our own words.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// collector takes a flag's text from the command line and leaves the field alone: parse sets it.
type collector struct{ setting *setting }

func (c collector) Decode(ctx *kong.DecodeContext, _ reflect.Value) error {
	c.setting.given = true
	next := ctx.Scan.Peek()
	switch {
	case next.Type == kong.FlagValueToken:
		c.setting.text = ctx.Scan.Pop().String()
	case c.setting.field.Kind() == reflect.Bool:
		c.setting.text = "true"
	case next.IsValue() || isNegative(next):
		c.setting.text = ctx.Scan.Pop().String()
	default:
		return &usageError{fmt.Sprintf("--%s: has no value; expected --%s=%s", ctx.Value.Name, ctx.Value.Name, c.setting.placeholder())}
	}
	return nil
}

// isNegative lets "--x -5" through to the setting, which says what is wrong with it.
func isNegative(t kong.Token) bool {
	text := t.String()
	return t.Type == kong.UntypedToken && len(text) > 1 && text[0] == '-' && strings.ContainsRune("0123456789.", rune(text[1]))
}

// secretFlag refuses a secret on the command line without repeating it.
type secretFlag struct{}

func (secretFlag) Decode(ctx *kong.DecodeContext, _ reflect.Value) error {
	name := ctx.Value.Name
	return &usageError{fmt.Sprintf("--%s: a secret is not taken from the command line, where process lists show it; "+
		"expected the variable %s or a file named by --%s-file", name, variableName(name), name)}
}
