package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/opentim/tim/server"
)

// checkSecret refuses a file with a secret that others can read.
func checkSecret(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fmt.Errorf("%s is a directory; a file with the secret is needed", path)
	}
	if mode := info.Mode().Perm(); tooOpen(mode, isRoots(info)) && runtime.GOOS != "windows" {
		return fmt.Errorf("others can read the secret in %s (mode %04o): chmod 600 %s", path, mode, path)
	}
	return nil
}

// exposed says which passwords others can read, because they stand in a configuration file that others can read.
func (l *loaded) exposed() (all []error) {
	for key, url := range map[string]string{"store": l.Store, "registry": l.Registry} {
		if !strings.Contains(masked(url), "xxxxx") || !strings.HasPrefix(l.sources[key], l.file+":") {
			continue
		}
		if err := checkSecret(l.file); err != nil {
			all = append(all, l.wrong(key, err.Error()))
		}
	}
	return all
}

// tooOpen reports whether others can read, or anybody else write, a file with this mode. The group may read what root hands to
// it, as Kubernetes and ssl-cert do for a server that does not run as root: PostgreSQL has the same rule.
func tooOpen(mode fs.FileMode, roots bool) bool {
	if roots {
		return mode&0o037 != 0
	}
	return mode&0o077 != 0
}

// readSecret returns the lines of a file that only its owner may read. Empty lines and those that begin with # are left out.
func readSecret(path string) ([]string, error) {
	if err := checkSecret(path); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("there is no key in %s", path)
	}
	return lines, nil
}

// secret returns what readSecret does, after making the file with a random key if it is not there. The file is complete as
// soon as it has its name, whatever happens meanwhile.
func secret(path string) ([]string, error) {
	lines, err := readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return lines, err
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	if err := writeFile(path, []byte(hex.EncodeToString(key)+"\n")); err != nil {
		return nil, err
	}
	return readSecret(path)
}

// writeFile replaces a file that only its owner may read.
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// serverApps reads the key files of the apps.
func (l *loaded) serverApps() ([]server.App, error) {
	var apps []server.App
	for i, a := range l.Apps {
		keys, err := readSecret(a.KeyFile)
		if err != nil {
			return nil, l.wrong(fmt.Sprintf("apps[%d].key_file", i), err.Error())
		}
		from, err := prefixes(a.AdminAllow)
		if len(from) == 0 && err == nil {
			from, err = prefixes(l.AdminAllow)
		}
		if err != nil {
			return nil, err // was checked
		}
		apps = append(apps, server.App{ID: a.ID, Name: a.Name, Keys: keys, Admins: a.Admins, AdminFrom: from, Zone: zone(a.Zone)})
	}
	return apps, nil
}
