// Package ent is a client for a graph with one ordinary audited type, to measure with.
package ent

//go:generate go run -mod=mod entc.go
