// Package ent is the database client of the service.
package ent

//go:generate go run -mod=mod entc.go
