package pgtest

import (
	"errors"
	"fmt"
	"strconv"
)

// Standby makes a second server that follows s, and makes s answer no commit before the standby has it on disk, too. The caller
// closes it.
func (s *Server) Standby() (*Server, error) {
	r := &Server{o: s.o}
	err := r.prepare()
	if err == nil {
		primary := fmt.Sprintf("host=%s port=%d user=tim", s.dir, s.port)
		err = r.run("pg_basebackup", "-D", r.data(), "-d", primary, "-R", "-X", "stream", "-c", "fast", "--no-sync")
	}
	if err == nil {
		err = r.Run()
	}
	if err == nil {
		err = s.sql("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start a standby for tests: %w", err), r.Close())
	}
	return r, nil
}

// Promote makes a standby a server that takes writes, and returns when it does. Nobody is waited for at its commits.
func (s *Server) Promote() error {
	return s.sql("SELECT pg_promote()", "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
}

// sql runs statements, each for itself.
func (s *Server) sql(statements ...string) error {
	for _, one := range statements {
		if err := s.run("psql", "-h", s.dir, "-p", strconv.Itoa(s.port), "-U", "tim", "-d", "postgres", "-qAtc", one); err != nil {
			return err
		}
	}
	return nil
}
