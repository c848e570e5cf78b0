package children

import (
	"maps"
	"slices"
	"strings"
)

// Flags returns a component's flags in order; the user's arguments come last and so win.
func Flags(flags map[string]string, arguments []string) []string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		words = append(words, "--"+name+"="+flags[name])
	}
	for _, argument := range arguments {
		words = append(words, "--"+strings.TrimLeft(argument, "-"))
	}
	return words
}
