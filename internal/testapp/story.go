package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/entaudit/audit/entaudit"
)

// person is somebody who sends requests.
type person struct {
	name, token string
	tenant      string // whose header he sends, if he does
}

// cast are the people of the story.
type cast struct {
	alice, bob, carol, olga person
	late                    person // Alice with a token that has expired
	abroad                  person // Alice in an organisation that is not hers
	support                 person // Olga in Alice's place
	nobody                  person
}

func newCast(i *issuer, p seeded) (c cast, err error) {
	soon := time.Now().Add(time.Hour)
	c = cast{
		alice: person{name: "Alice"}, bob: person{name: "Bob"}, carol: person{name: "Carol"},
		olga: person{name: "Olga"}, late: person{name: "Alice"}, nobody: person{name: "somebody"},
	}
	if c.alice.token, err = i.user(p.alice, p.acme, soon); err != nil {
		return c, err
	}
	if c.bob.token, err = i.user(p.bob, p.acme, soon); err != nil {
		return c, err
	}
	if c.carol.token, err = i.user(p.carol, p.globex, soon); err != nil {
		return c, err
	}
	if c.late.token, err = i.user(p.alice, p.acme, time.Now().Add(-time.Hour)); err != nil {
		return c, err
	}
	c.abroad = person{name: "Alice", token: c.alice.token, tenant: p.globex.Slug}
	c.support.name = "Olga"
	if c.support.token, err = i.impersonated(p.alice, p.acme, soon); err != nil {
		return c, err
	}
	c.olga.token, err = i.operator("olga@testapp.example", soon)
	return c, err
}

// trace is what a story leaves.
type trace struct {
	dialect  string
	captions map[string]string // what a request was about, by its id
	entries  []entaudit.Entry
}

// story sends requests one after the other.
type story struct {
	client http.Client
	url    string
	log    io.Writer
	cast   cast
	trace  *trace
	site   int   // id of the project
	err    error // the first one; nothing is sent after it
}

// send sends a request and expects an answer with the given status. It returns the
// id in the answer, if there is one.
func (s *story) send(ctx context.Context, caption string, who person, method, path, body string, status int) int {
	if s.err != nil {
		return 0
	}
	id, err := s.exchange(ctx, caption, who, method, path, body, status)
	if err != nil {
		s.err = fmt.Errorf("demo: %s %s: %w", method, path, err)
	}
	return id
}

func (s *story) exchange(ctx context.Context, caption string, who person, method, path, body string, status int) (int, error) {
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("User-Agent", "testapp-demo")
	if who.token != "" {
		r.Header.Set("Authorization", "Bearer "+who.token)
	}
	if who.tenant != "" {
		r.Header.Set(tenantHeader, who.tenant)
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return 0, err
	}
	answer, err := io.ReadAll(resp.Body)
	if err := cmp.Or(err, resp.Body.Close()); err != nil {
		return 0, err
	}
	say(s.log, "%-8s %-6s %-29s %d\n", who.name, method, path, resp.StatusCode)
	if resp.StatusCode != status {
		return 0, fmt.Errorf("status %d instead of %d: %s", resp.StatusCode, status, bytes.TrimSpace(answer))
	}
	s.trace.captions[resp.Header.Get("X-Request-Id")] = caption
	var made struct {
		ID int `json:"id"`
	}
	if status == http.StatusCreated && json.Unmarshal(answer, &made) != nil {
		return 0, nil // the id is not a number, or the answer has several
	}
	return made.ID, nil
}

// tell sends the requests of the story. check knows what they leave.
func (s *story) tell(ctx context.Context) error {
	c := s.cast
	s.site = s.send(ctx, "Alice starts a project with two tags.", c.alice, "POST", "/projects",
		`{"name":"Website relaunch","code":"WEB","budget":"12000","tags":["web","urgent"]}`, 201)
	first := s.send(ctx, "She writes an invoice for it. The note is encrypted: the log has what the database has.", c.alice,
		"POST", "/invoices", fmt.Sprintf(`{"number":"A-1","customer":"Initech","project_id":%d,"due_on":"2020-01-31",
		"note":"speak to Milton first","lines":[{"text":"Design","quantity":3,"price":"450"},{"text":"Hosting","price":"19.99"}]}`, s.site), 201)
	second := s.send(ctx, "And another two.", c.alice, "POST", "/invoices",
		`{"number":"A-2","customer":"Hooli","due_on":"2020-02-29","lines":[{"text":"Logo","price":"800"}]}`, 201)
	s.send(ctx, "", c.alice, "POST", "/invoices",
		`{"number":"A-3","customer":"Umbra","due_on":"2020-03-31","lines":[{"text":"Fonts","price":"75.50"}]}`, 201)
	s.send(ctx, "Carol works elsewhere: she does not find the invoice.", c.carol, "GET", fmt.Sprintf("/invoices/%d", first), "", 404)
	s.send(ctx, "Bob edits a customer's name: the new one would clear a terminal that shows it as it is.", c.bob,
		"PATCH", fmt.Sprintf("/invoices/%d", second), `{"customer":"Hooli \u001b[2J\u202eXYZ"}`, 200)
	dave := s.send(ctx, "He adds a colleague and then sets another password. That it changed is seen, what it is is not.", c.bob, "POST", "/users",
		`{"email":"dave@acme.example","name":"Dave","password":"correct horse"}`, 201)
	s.send(ctx, "", c.bob, "PATCH", fmt.Sprintf("/users/%d", dave), `{"password":"battery staple","role":"billing"}`, 200)
	s.send(ctx, "Alice closes what is overdue: one UPDATE, three rows, each with its own old values.", c.alice,
		"POST", "/invoices/close-overdue", "", 200)
	s.send(ctx, "She imports three invoices. The third number is taken: all of it rolls back, entries included.", c.alice,
		"POST", "/invoices/import", `[{"number":"A-4","customer":"Soylent","due_on":"2030-01-31","lines":[{"text":"Menu","price":"90"}]},
		{"number":"A-5","customer":"Tyrell","due_on":"2030-01-31","lines":[{"text":"Owl","price":"5000"}]},
		{"number":"A-1","customer":"Initech","due_on":"2030-01-31","lines":[{"text":"Again","price":"1"}]}]`, 409)
	s.send(ctx, "Bob deletes an invoice. Its line goes with it, by the foreign key.", c.bob,
		"DELETE", fmt.Sprintf("/invoices/%d", second), "", 204)
	s.send(ctx, "Alice sends a token that has expired, and somebody none at all. Neither gets through.", c.late,
		"DELETE", fmt.Sprintf("/invoices/%d", first), "", 401)
	s.send(ctx, "", c.nobody, "DELETE", fmt.Sprintf("/invoices/%d", first), "", 401)
	s.send(ctx, "Olga corrects a customer in Alice's place. The entries name both.", c.support,
		"PATCH", fmt.Sprintf("/invoices/%d", first), `{"customer":"Initech Ltd"}`, 200)
	s.send(ctx, "Alice asks for the invoices of another organisation. Her token is not for it.", c.abroad, "GET", "/invoices", "", 403)
	s.send(ctx, "Bob may not reset everybody's reminders, Olga may. One entry says why no rows are recorded.", c.bob,
		"POST", "/admin/reminders/reset", "", 403)
	s.send(ctx, "", c.olga, "POST", "/admin/reminders/reset", "", 200)
	s.send(ctx, "A handler panics.", c.carol, "GET", "/debug/panic", "", 500)
	return s.err
}
