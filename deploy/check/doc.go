// Package check has the tests of what lies beside it: that Kubernetes, Compose, Docker, Prometheus and Grafana would understand it, by
// their own parsers, and that it names nothing that timd does not have. It is a module of its own because those parsers are
// large, and no program of ours needs them.
package check
