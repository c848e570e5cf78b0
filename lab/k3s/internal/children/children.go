// Package children runs the programs that a node consists of; none of them outlives this process.
package children

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
)

const patience = 3 * time.Second // K3s itself is gone at once

// Group is the programs of a node: when one ends, the node does, and systemd starts it anew.
type Group struct {
	bin     string
	ended   chan error
	starter chan func()
	mutex   sync.Mutex
	running []*child
}

type child struct {
	name    string
	command *exec.Cmd
	done    chan struct{}
}

// New returns a group whose programs lie in the folder bin.
func New(bin string) *Group {
	g := &Group{bin: bin, ended: make(chan error, 16), starter: make(chan func())}
	go func() {
		// A child is told of its parent's death when the thread that made it ends: this one never does.
		runtime.LockOSThread()
		for start := range g.starter {
			start()
		}
	}()
	return g
}

// Start runs a program; files that are secret are given by name, never what is in them.
func (g *Group) Start(name string, arguments ...string) error {
	log.Printf("Running %s %v", name, arguments)
	c := &child{name: name, command: g.Command(name, arguments...), done: make(chan struct{})}
	c.command.Stdout, c.command.Stderr = os.Stderr, os.Stderr
	c.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	g.starter <- func() { started <- c.command.Start() }
	if err := <-started; err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	g.mutex.Lock()
	g.running = append(g.running, c)
	g.mutex.Unlock()
	go func() {
		_ = c.command.Wait() // how it ended is in its state
		close(c.done)
		g.ended <- fmt.Errorf("%s ended: %s", name, c.command.ProcessState)
	}()
	return nil
}

// Command returns a program of the folder bin that is not started yet.
func (g *Group) Command(name string, arguments ...string) *exec.Cmd {
	command := exec.Command(g.bin+"/"+name, arguments...)
	// The host's own programs go first, as with K3s; what it lacks is in aux.
	command.Env = append(os.Environ(), "PATH="+g.bin+":"+os.Getenv("PATH")+":"+g.bin+"/aux")
	return command
}

// Output runs a program of the folder bin to its end and returns what it said.
func (g *Group) Output(ctx context.Context, input []byte, name string, arguments ...string) (string, error) {
	return output(ctx, g.Command(name, arguments...), input)
}

// Wait returns when a program has ended, or when the context has.
func (g *Group) Wait(ctx context.Context) error {
	select {
	case err := <-g.ended:
		return err
	case <-ctx.Done():
		return nil
	}
}

// Stop ends one program, or all if none is named: the last started first.
func (g *Group) Stop(names ...string) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	for _, c := range slices.Backward(g.running) {
		if len(names) > 0 && !slices.Contains(names, c.name) {
			continue
		}
		_ = c.command.Process.Signal(syscall.SIGTERM)
		select {
		case <-c.done:
		case <-time.After(patience):
			log.Printf("%s did not end within %s and is killed", c.name, patience)
			_ = c.command.Process.Kill()
			<-c.done
		}
	}
}
