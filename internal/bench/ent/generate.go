// Package ent is a client for a graph of audited types, to measure with.
package ent

//go:generate go run -mod=mod entc.go
