package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/entaudit/audit/internal/testapp/ent"
)

// maxBody is how many bytes of a request's body are read.
const maxBody = 1 << 20

// errorBody is the answer to a request that did not succeed.
type errorBody struct {
	Error string `json:"error"`
}

// problem is an error that the client is told of as it is.
type problem struct {
	status int
	text   string
}

func (p problem) Error() string { return p.text }

func badRequest(format string, args ...any) error {
	return problem{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// handler serves a request or returns why it could not.
type handler func(w http.ResponseWriter, r *http.Request) error

// handle makes h an http.HandlerFunc that answers for its errors.
func (a *app) handle(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		status, text := http.StatusInternalServerError, "internal error"
		var p problem
		switch {
		case errors.As(err, &p):
			status, text = p.status, p.text
		case ent.IsNotFound(err):
			status, text = http.StatusNotFound, "not found"
		case ent.IsConstraintError(err):
			status, text = http.StatusConflict, "taken, or in use"
		case ent.IsValidationError(err):
			status, text = http.StatusUnprocessableEntity, err.Error()
		default:
			a.log.LogAttrs(r.Context(), slog.LevelError, "request failed", slog.String("path", r.URL.Path), slog.Any("error", err))
		}
		a.answer(w, r, status, errorBody{text})
	}
}

// answer sends body as JSON.
func (a *app) answer(w http.ResponseWriter, r *http.Request, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		a.log.LogAttrs(r.Context(), slog.LevelWarn, "answer not sent", slog.Any("error", err))
	}
}

// decode reads the body of a request.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return badRequest("body: %v", err)
	}
	return nil
}

// pathID returns the id in the path of a request.
func pathID(r *http.Request) (int, error) {
	id, err := strconv.Atoi(chi.URLParam(r, "id"))
	if err != nil || id < 1 {
		return 0, problem{http.StatusNotFound, "not found"}
	}
	return id, nil
}
