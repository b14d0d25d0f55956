// Package audit is the root of the module and has no API. Start with package
// entaudit, which records changes, and package chiaudit, which records requests.
package audit

//go:generate go -C ent run entc.go
