// Package ent is a client for a graph with every kind of field and edge, for tests.
package ent

//go:generate go run -mod=mod entc.go
