package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/entaudit/audit/entaudit"
)

// content is what the databases hold after a fault, read by SQL of its own: nothing of
// what it is to judge takes part.
type content struct {
	rows    map[string]stored // by number
	changes []trail           // entries of changed rows
	entries []trail           // entries that were delivered
	gaps    []gap
}

// stored is a row.
type stored struct {
	id       string
	quantity int
	note     string
}

// trail is an entry.
type trail struct {
	id        string
	op        int    // that left it
	operation string // of a change
	row       string // id of the row that changed
	number    string // of the row, where it was created
	rank      int64  // entries of a higher rank were written later
}

// gap is an entry that tells of missing ones: how many, and how many of them had not been
// accepted.
type gap struct{ count, rejected int }

const entriesQuery = `SELECT id, kind, coalesce(operation, ''), coalesce(resource_id, ''), coalesce(path, ''),
	coalesce(changes, '{}'), coalesce(metadata, '{}'), xmin::text::bigint FROM audit_logs ORDER BY xmin::text::bigint, ctid`

// read reads all that is stored. The databases may be one.
func read(ctx context.Context, app, audit string) (*content, error) {
	c := &content{rows: map[string]stored{}}
	conn, err := connect(ctx, app)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }() // it only read
	if err := c.readRows(ctx, conn); err != nil {
		return nil, err
	}
	if err := c.readEntries(ctx, conn); err != nil || audit == app {
		return c, err
	}
	other, err := connect(ctx, audit)
	if err != nil {
		return nil, err
	}
	defer func() { _ = other.Close(ctx) }() // it only read
	return c, c.readEntries(ctx, other)
}

// rankByID has the ids tell the order: relays that take turns do not keep it, since what a
// killed one had taken comes when its lease is over.
func (c *content) rankByID() {
	slices.SortFunc(c.entries, func(a, b trail) int { return strings.Compare(a.id, b.id) })
	for i := range c.entries {
		c.entries[i].rank = int64(i)
	}
}

// connect waits for a database that is on its way.
func connect(ctx context.Context, dsn string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, dsn)
		if err == nil {
			return conn, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (c *content) readRows(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `SELECT id::text, number, quantity, coalesce(note, '') FROM invoices`)
	if err != nil {
		return err
	}
	var r stored
	var number string
	_, err = pgx.ForEachRow(rows, []any{&r.id, &number, &r.quantity, &r.note}, func() error {
		if _, twice := c.rows[number]; twice {
			return fmt.Errorf("two rows are called %s", number)
		}
		c.rows[number] = r
		return nil
	})
	return err
}

func (c *content) readEntries(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, entriesQuery)
	if err != nil {
		return err
	}
	var t trail
	var kind, path, changes, metadata string
	_, err = pgx.ForEachRow(rows, []any{&t.id, &kind, &t.operation, &t.row, &path, &changes, &metadata, &t.rank}, func() error {
		return c.add(t, entaudit.Kind(kind), path, changes, metadata)
	})
	return err
}

// add sorts one entry in.
func (c *content) add(t trail, kind entaudit.Kind, path, changes, metadata string) error {
	switch kind {
	case entaudit.KindMutation:
		var fields map[string]struct{ New any }
		if err := json.Unmarshal([]byte(changes), &fields); err != nil {
			return fmt.Errorf("entry %s: changes: %w", t.id, err)
		}
		t.number, _ = fields["number"].New.(string)
		note, _ := fields["note"].New.(string)
		if t.operation == string(entaudit.OpUpdate) {
			t.op, _ = opOf(note)
		} else {
			t.op, _ = opOf(t.number)
		}
		c.changes = append(c.changes, t)
	case entaudit.KindManual:
		t.op, _ = opOf(t.row)
		c.entries = append(c.entries, t)
	case entaudit.KindRequest:
		t.op, _ = opOf(path)
		c.entries = append(c.entries, t)
	case entaudit.KindSystem:
		var m struct{ Count, Rejected int }
		if err := json.Unmarshal([]byte(metadata), &m); err != nil {
			return fmt.Errorf("entry %s: metadata: %w", t.id, err)
		}
		if t.operation == string(entaudit.OpGap) {
			c.gaps = append(c.gaps, gap{m.Count, m.Rejected})
		}
	}
	return nil
}
