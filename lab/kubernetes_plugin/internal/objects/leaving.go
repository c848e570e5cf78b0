package objects

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Leaving returns the object that the inputs describe, but for the ignored paths, at which it is
// as the live one.
func Leaving(
	inputs, live resource.PropertyMap, ignored []string,
) (*unstructured.Unstructured, error) {
	wanted := resource.NewObjectProperty(inputs.Copy())
	current := resource.NewObjectProperty(live)
	for _, text := range ignored {
		path, err := resource.ParsePropertyPath(text)
		if err != nil {
			return nil, fmt.Errorf("ignoreChanges: %s: %w", text, err)
		}
		if value, there := path.Get(current); there {
			// Parts that the inputs do not have stay out: nothing is claimed that is not declared.
			wanted, _ = replaced(wanted, path, value)
		} else {
			path.Delete(wanted)
		}
	}
	object, _ := Object(wanted.ObjectValue())
	return object, nil
}

func replaced(
	wanted resource.PropertyValue, path resource.PropertyPath, value resource.PropertyValue,
) (resource.PropertyValue, bool) {
	if _, declared := path.Get(wanted); !declared {
		return wanted, false
	}
	return wanted, path.Set(wanted, value)
}
