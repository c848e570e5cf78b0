// Package options reads what K3s's flags, environment and configuration files say.
package options

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// Options holds the values of one command by K3s's names.
type Options struct {
	command string
	values  map[string][]string
	// Rest is what is no option.
	Rest []string
}

// Load returns the options of a command: flags before files before environment, as with K3s, whose
// files are read as if they were flags.
func Load(command string, arguments []string) (*Options, error) {
	o := &Options{command: command, values: map[string][]string{}}
	flags, faults := o.parse(arguments)
	files, err := readFiles(configFile(flags))
	faults = append(faults, err)
	for name, option := range known {
		if value := os.Getenv(option.env); option.env != "" && value != "" && o.takes(name) {
			o.values[name] = split(option, value)
		}
	}
	for name, values := range files {
		wanted, fault := o.find(name)
		if fault != nil && command == "etcd-snapshot" && isKnown(name) {
			continue // the file is the server's too
		}
		faults = append(faults, fault)
		o.values[wanted] = values
	}
	delete(flags, "config")
	maps.Copy(o.values, flags)
	if err := errors.Join(append(faults, o.check())...); err != nil {
		return nil, err
	}
	return o, nil
}

// Text returns a value, or K3s's default.
func (o *Options) Text(name string) string {
	if values := o.values[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	return mustKnow(name).value
}

// On tells whether a switch is on.
func (o *Options) On(name string) bool {
	return o.Text(name) == "true"
}

// List returns all values of an option that may be given many times.
func (o *Options) List(name string) []string {
	mustKnow(name)
	return o.values[name]
}

// Set overrules what was said.
func (o *Options) Set(name, value string) {
	o.values[name] = []string{value}
}

func (o *Options) takes(name string) bool {
	option, ok := known[name]
	return ok && strings.Contains(option.who, scopes[o.command])
}

func (o *Options) find(name string) (string, error) {
	if full, ok := aliases[name]; ok && o.takes(full) {
		return full, nil
	}
	if o.takes(name) {
		return name, nil
	}
	if isKnown(name) {
		return name, fmt.Errorf("option %s: k3s %s does not take it", name, o.command)
	}
	return name, fmt.Errorf("option %s: not known to this stand-in for k3s %s%s",
		name, o.command, nearest(name))
}

func (o *Options) parse(arguments []string) (map[string][]string, []error) {
	flags, faults := map[string][]string{}, []error(nil)
	for i := 0; i < len(arguments); i++ {
		word := arguments[i]
		if !strings.HasPrefix(word, "-") {
			o.Rest = append(o.Rest, word)
			continue
		}
		name, value, given := strings.Cut(strings.TrimLeft(word, "-"), "=")
		if name == "c" || name == "config" {
			name = "config"
		} else {
			full, err := o.find(name)
			if err != nil {
				faults = append(faults, err)
				continue
			}
			name = full
		}
		option := known[name]
		switch {
		case given:
		case option.kind == onOff:
			value = "true"
		case i+1 < len(arguments):
			i++
			value = arguments[i]
		default:
			faults = append(faults, fmt.Errorf("option %s: expected a value", name))
		}
		flags[name] = append(flags[name], split(option, value)...)
	}
	return flags, faults
}

func (o *Options) check() error {
	var faults []error
	for name, values := range o.values {
		if known[name].kind == onOff && !slices.Contains([]string{"true", "false"}, o.Text(name)) {
			faults = append(faults, fmt.Errorf("option %s: expected true or false, got %q", name, values))
		}
	}
	for _, want := range []struct {
		name   string
		choice []string
	}{
		{"flannel-backend", []string{"vxlan", "host-gw", "none"}},
		{"disable", []string{"traefik", "servicelb", "metrics-server", "local-storage", "coredns"}},
	} {
		for _, value := range o.values[want.name] {
			if !slices.Contains(want.choice, value) {
				faults = append(faults, fmt.Errorf("option %s: expected one of %s, got %q",
					want.name, strings.Join(want.choice, ", "), value))
			}
		}
	}
	return errors.Join(faults...)
}

func isKnown(name string) bool {
	_, ok := known[name]
	return ok
}

func mustKnow(name string) option {
	option, ok := known[name]
	if !ok {
		panic("no such option: " + name)
	}
	return option
}

// split takes lists apart at commas, as K3s does for all but arguments of components.
func split(option option, value string) []string {
	if option.kind == list && !strings.Contains(value, "=") {
		return strings.Split(value, ",")
	}
	return []string{value}
}

func nearest(name string) string {
	var like []string
	for candidate := range known {
		if strings.Contains(candidate, name) || strings.Contains(name, candidate) {
			like = append(like, candidate)
		}
	}
	slices.Sort(like)
	if len(like) == 0 {
		return ""
	}
	return "; it knows " + strings.Join(like, ", ")
}
