// Package plain is a client for the same tables that knows nothing of auditing, to
// compare with.
package plain

//go:generate go run -mod=mod entc.go
