package cluster

import (
	openapi "github.com/google/gnostic-models/openapiv3"
)

// simplify rewrites a document so that the library which validates by it sees all of it: it takes
// "all of this one reference", as Kubernetes writes nearly every nested object, for anything at
// all, and refuses fields that a definition says to preserve.
func simplify(document *openapi.Document) {
	for _, model := range document.GetComponents().GetSchemas().GetAdditionalProperties() {
		simplifyOne(model.GetValue())
	}
}

func simplifyOne(either *openapi.SchemaOrReference) {
	schema := either.GetSchema()
	if schema == nil {
		return
	}
	if all := schema.GetAllOf(); schema.GetType() == "" && len(all) == 1 {
		if reference := all[0].GetReference(); reference != nil {
			either.Oneof = &openapi.SchemaOrReference_Reference{Reference: reference}
			return
		}
	}
	if preserves(schema) {
		schema.Type, schema.Properties = "", nil
		return
	}
	for _, field := range schema.GetProperties().GetAdditionalProperties() {
		simplifyOne(field.GetValue())
	}
	for _, element := range schema.GetItems().GetSchemaOrReference() {
		simplifyOne(element)
	}
	if values := schema.GetAdditionalProperties().GetSchemaOrReference(); values != nil {
		simplifyOne(values)
	}
}

func preserves(schema *openapi.Schema) bool {
	for _, extension := range schema.GetSpecificationExtension() {
		if extension.GetName() == "x-kubernetes-preserve-unknown-fields" {
			return true
		}
	}
	return false
}
