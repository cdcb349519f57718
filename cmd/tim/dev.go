package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// A target says which server and app a command is about.
type target struct {
	Endpoint string `json:"endpoint"`
	App      uint64 `json:"app"`
	KeyFile  string `json:"key_file"`
	dir      string
}

func (t *target) flags(c *cobra.Command) {
	c.Flags().Uint64Var(&t.App, "app", 0, "SDKAppID")
	c.Flags().StringVar(&t.KeyFile, "key-file", "", "file with the app's secret key")
	c.Flags().StringVar(&t.dir, "dev", "tim-dev", "data directory of a \"timd dev\" that fills in what is not given")
}

func (t *target) endpointFlag(c *cobra.Command) {
	c.Flags().StringVar(&t.Endpoint, "endpoint", "", "the server, such as wss://tim.example.com")
}

// fill takes what the command line left open from the running timd dev, if there is one.
func (t *target) fill() error {
	data, err := os.ReadFile(filepath.Join(t.dir, "dev.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var dev target
	if err := json.Unmarshal(data, &dev); err != nil {
		return fmt.Errorf("read %s: %w", filepath.Join(t.dir, "dev.json"), err)
	}
	if t.App != 0 && t.App != dev.App {
		return nil // it is about another app
	}
	t.App = dev.App
	if t.Endpoint == "" {
		t.Endpoint = dev.Endpoint
	}
	if t.KeyFile == "" {
		t.KeyFile = dev.KeyFile
	}
	return nil
}

// missing says what was not given, and that no timd dev has it either.
func (t *target) missing(what string) error {
	whose := ""
	if t.App != 0 {
		whose = fmt.Sprintf(" of app %d", t.App)
	}
	return fmt.Errorf(`%s is missing, and no "timd dev"%s has left its data in %s`, what, whose, t.dir)
}

// key reads the secret key, or returns "" if none was named. A file may hold several, a line each, newest first, and
// comments that start with #: timd reads it the same way.
func (t *target) key() (string, error) {
	if t.KeyFile == "" {
		return "", nil
	}
	data, err := os.ReadFile(t.KeyFile)
	if err != nil {
		return "", fmt.Errorf("read the app's key: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if key := strings.TrimSpace(line); key != "" && !strings.HasPrefix(key, "#") {
			return key, nil
		}
	}
	return "", fmt.Errorf("the key file %s holds no key", t.KeyFile)
}
