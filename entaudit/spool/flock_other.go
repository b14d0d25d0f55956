//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package spool

import (
	"errors"
	"fmt"
	"os"
)

func flock(*os.File) error { return fmt.Errorf("flock: %w", errors.ErrUnsupported) }
