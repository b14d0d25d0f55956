// Package ent is a client for a graph whose tables lie in several schemas, for tests.
package ent

//go:generate go run -mod=mod entc.go
