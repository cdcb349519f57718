package core

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/opentim/tim/codes"
)

// instanceID returns the instance ID kept in dir, and makes one if there is none. Without dir it is new each time. Several
// processes may ask at once: all get the same one.
func instanceID(dir string) (string, error) {
	if dir == "" {
		return rand.Text(), nil // 128 random bits and more, base32
	}
	id, err := keptInstanceID(dir)
	if err != nil {
		return "", fmt.Errorf("instance ID in DataDir: %w: %v", codes.LocalIOFailed, err)
	}
	return id, nil
}

func keptInstanceID(dir string) (string, error) {
	path := filepath.Join(dir, "instance")
	if id, err := readInstanceID(path); err == nil || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errNoID) {
		return id, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	// The file comes into being whole, under another name; whoever gives it its name first wins.
	file, err := os.CreateTemp(dir, ".instance-*") // mode 0600
	if err != nil {
		return "", err
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(rand.Text() + "\n")
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return "", err
	}
	if err := os.Link(file.Name(), path); err != nil {
		if id, err := readInstanceID(path); err == nil {
			return id, nil
		}
		// A spoilt file is in the way, or there are no hard links here, as for apps on Android.
		if err := os.Rename(file.Name(), path); err != nil {
			return "", err
		}
	}
	return readInstanceID(path)
}

var errNoID = errors.New("the file holds no instance ID")

func readInstanceID(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	id := strings.TrimSuffix(string(data), "\n")
	if len(id) < 16 || checkName("", id, maxName) != "" {
		return "", errNoID
	}
	return id, nil
}
