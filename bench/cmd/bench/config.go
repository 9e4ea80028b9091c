package main

import (
	"fmt"
	"strings"

	"fintrans/bench/cases"
	"fintrans/internal/service"
)

// config is what the bench can be told, by flag or by environment.
type config struct {
	Only    only                `name:"only" help:"Cases to run, separated by commas; all where empty; they are listed below."`
	Rounds  service.Count       `name:"rounds" default:"3" min:"1" max:"100" help:"How often each comparison is repeated, in alternating order."`
	Records service.Count       `name:"records" default:"8000000" min:"10000" max:"100000000" help:"Transactions of a comparison; the slow peers get fewer."`
	Results string              `name:"results" default:"bench/results" placeholder:"FOLDER" help:"Folder that the reports are written to, one file for each case."`
	Profile string              `name:"profile" placeholder:"FOLDER" help:"Folder for processor profiles of the services, which are then built to take them; read them with go tool pprof. None where empty."`
	Version service.VersionFlag `help:"Print the version and exit."`
}

// only are the names of the cases that are to run.
type only []string

// String gives the names as UnmarshalText reads them.
func (o only) String() string { return strings.Join(o, ",") }

// UnmarshalText reads names of cases, separated by commas.
func (o *only) UnmarshalText(text []byte) error {
	known := map[string]bool{}
	var names []string
	for _, c := range cases.All() {
		known[c.Name] = true
		names = append(names, c.Name)
	}
	for name := range strings.SplitSeq(string(text), ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if !known[name] {
			return fmt.Errorf("%q is no case; expected some of %s", name, strings.Join(names, ", "))
		}
		*o = append(*o, name)
	}
	return nil
}

// chosen are the cases that are to run.
func (c config) chosen() []cases.Case {
	if len(c.Only) == 0 {
		return cases.All()
	}
	var list []cases.Case
	for _, each := range cases.All() {
		for _, name := range c.Only {
			if name == each.Name {
				list = append(list, each)
				break
			}
		}
	}
	return list
}

// caseList is the end of the help text.
func caseList() string {
	var text strings.Builder
	text.WriteString("\nCases:\n")
	for _, c := range cases.All() {
		fmt.Fprintf(&text, "  %-18s %s\n", c.Name, c.About)
	}
	return text.String()
}

// command is what makes the report of these cases again; without any, that of all.
func (c config) command(names ...string) string {
	command := "make bench"
	if len(names) > 0 {
		command += " ONLY=" + strings.Join(names, ",")
	}
	command = fmt.Sprintf("%s ROUNDS=%d RECORDS=%d", command, uint64(c.Rounds), uint64(c.Records))
	if c.Profile != "" { // it costs the services something
		command += " PROFILE=" + c.Profile
	}
	return command
}
