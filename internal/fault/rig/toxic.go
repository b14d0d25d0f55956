package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"time"
)

// toxiproxy is a proxy that makes a network as bad as one says, in a process of its own.
type toxiproxy struct {
	url    string
	listen string // address that stands for the cluster's
}

// toxicModule has the proxy, whose dependencies are not this module's.
const toxicModule = "internal/fault/toxiproxy/go.mod"

// newToxiproxy puts a proxy in front of the cluster.
func (r *rig) newToxiproxy(ctx context.Context) (*toxiproxy, error) {
	bin := filepath.Join(r.dir, "toxiproxy")
	build := exec.CommandContext(ctx, "go", "build", "-modfile="+toxicModule, "-o", bin, "github.com/Shopify/toxiproxy/v2/cmd/server") //nolint:gosec // constant
	if text, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build toxiproxy: %w: %s", err, text)
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, bin, "-host", "127.0.0.1", "-port", fmt.Sprint(port)) //nolint:gosec // just built
	apart(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r.tear = append(r.tear, func() error {
		killGroup(cmd)
		_ = cmd.Wait() // killed
		return nil
	})
	p := &toxiproxy{url: fmt.Sprintf("http://127.0.0.1:%d/proxies", port)}
	proxy := map[string]any{"name": "db", "listen": "127.0.0.1:0", "upstream": fmt.Sprintf("127.0.0.1:%d", r.cluster.port), "enabled": true}
	for range 100 {
		var made struct{ Listen string }
		if err = p.call(ctx, http.MethodPost, "", proxy, &made); err == nil {
			p.listen = made.Listen
			return p, nil
		}
		pause(ctx, 50*time.Millisecond)
	}
	return nil, fmt.Errorf("toxiproxy: %w", err)
}

func (p *toxiproxy) call(ctx context.Context, method, path string, in, out any) (err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	q, err := http.NewRequestWithContext(ctx, method, p.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// toxic is one way in which a network is bad.
type toxic struct {
	kind       string
	attributes map[string]int
}

// during has the network be bad for a while.
func (p *toxiproxy) during(ctx context.Context, t toxic, d time.Duration) error {
	for _, stream := range []string{"upstream", "downstream"} {
		in := map[string]any{"name": stream, "type": t.kind, "stream": stream, "toxicity": 1, "attributes": t.attributes}
		if err := p.call(ctx, http.MethodPost, "/db/toxics", in, nil); err != nil {
			return err
		}
	}
	pause(ctx, d)
	for _, stream := range []string{"upstream", "downstream"} {
		if err := p.call(ctx, http.MethodDelete, "/db/toxics/"+stream, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// slow is F06: the way to the audit database is slow, narrow, swallows what is sent, or
// resets connections. Whoever records does not wait, the queue stays as small as it is
// set, and nothing piles up in the process.
func slow(ctx context.Context, r *rig) (*verdict, error) {
	p, err := r.newToxiproxy(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.separate(ctx); err != nil {
		return nil, err
	}
	r.plan.audit = dsnAt(p.listen, auditDatabase)
	r.plan.capacity = 500
	direct := r.cluster.dsn(auditDatabase)
	q, err := r.start(ctx)
	if err != nil {
		return nil, err
	}
	busy, stop := context.WithCancel(ctx)
	defer stop()
	worked := make(chan error, 1)
	go func() { worked <- load{workers: 8, mix: everything, seed: r.seed}.run(busy, q) }()
	before, err := q.ask(ctx) // nothing is stored yet, so that the queue has no entry to tell an outage by
	if err != nil {
		return nil, err
	}
	most := before
	for _, t := range []toxic{
		{"latency", map[string]int{"latency": 2000}},
		{"bandwidth", map[string]int{"rate": 1}},
		{"timeout", map[string]int{"timeout": 0}},
		{"reset_peer", map[string]int{"timeout": 100}},
	} {
		r.note("%s for %v", t.kind, r.phases().during)
		if err := p.during(ctx, t, r.phases().during); err != nil {
			return nil, err
		}
		now, err := q.ask(ctx)
		if err != nil {
			return nil, err
		}
		most.Depth, most.Goroutines = max(most.Depth, now.Depth), max(most.Goroutines, now.Goroutines)
		pause(ctx, r.phases().after)
	}
	stop()
	if err := <-worked; err != nil {
		return nil, err
	}
	if err := r.drained(ctx, q); err != nil {
		return nil, err
	}
	if _, err := q.close(ctx); err != nil {
		return nil, fmt.Errorf("close: %w", err)
	}
	r.reasons()
	r.plan.audit = direct
	v, err := r.finish(ctx)
	if err != nil {
		return nil, err
	}
	r.note("at most %d entries in the queue and %d goroutines, %d before", most.Depth, most.Goroutines, before.Goroutines)
	if most.Depth > r.plan.capacity {
		v.violate("I5: %d entries in a queue of %d", most.Depth, r.plan.capacity)
	}
	if most.Goroutines > before.Goroutines+50 {
		v.violate("I5: %d goroutines, %d before", most.Goroutines, before.Goroutines)
	}
	v.bounded(r.journal.all(), r.plan.patience)
	return v, nil
}
