package children

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

func output(ctx context.Context, command *exec.Cmd, input []byte) (string, error) {
	var out, faults bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(input), &out, &faults
	if err := command.Start(); err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, func() { _ = command.Process.Kill() })
	defer stop()
	if err := command.Wait(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(command.Args, " "), err,
			strings.TrimSpace(faults.String()))
	}
	return out.String(), nil
}
