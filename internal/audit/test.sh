#!/usr/bin/env bash
# Asks for known vulnerabilities in what tim is built from. README.md says what fails and what is only told.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$PWD/build/audit
locks=(package-lock.json bindings/node/test/runtimes/package-lock.json bindings/react-native/ship/package-lock.json)
scan=(go run golang.org/x/vuln/cmd/govulncheck@v1.8.0)

fail() {
  echo "internal/audit/test.sh: $*" >&2
  exit 1
}

# not_audited WHAT WHY: nobody may mistake this for a clean audit.
not_audited() {
  echo "NOT AUDITED: $1: $2" >&2
  [ -z "${AUDIT_REQUIRED:-}" ] || fail "AUDIT_REQUIRED is set, and the audit of $1 could not be done"
}

# What is planted is called by core, so a scanner that works names it.
planted() {
  local db=$work/planted output
  rm -rf "$db" && mkdir -p "$db"
  cat >"$db/GO-1970-0001.json" <<'JSON'
{
  "schema_version": "1.3.1", "id": "GO-1970-0001", "modified": "1970-01-01T00:00:00Z", "published": "1970-01-01T00:00:00Z",
  "details": "planted by internal/audit", "database_specific": { "url": "internal/audit/README.md" },
  "affected": [{
    "package": { "name": "github.com/gorilla/websocket", "ecosystem": "Go" },
    "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }] }],
    "ecosystem_specific": { "imports": [{ "path": "github.com/gorilla/websocket", "symbols": ["Dialer.DialContext"] }] }
  }]
}
JSON
  output=$("${scan[@]}" -db "file://$db" ./core 2>&1) && fail "govulncheck does not see what was planted: $output"
  if ! grep -q 'GO-1970-0001' <<<"$output" || ! grep -q 'exit status 3' <<<"$output"; then # 3 means findings
    fail "govulncheck failed, but not for what was planted: $output"
  fi
  echo '{"auditReportVersion":2,"vulnerabilities":{},"metadata":{"vulnerabilities":{"critical":1,"total":1}}}' >"$work/npm.json"
  node internal/audit/npm.cjs planted "$work/npm.json" >/dev/null && fail "a critical finding of npm audit passes"
  echo "what is planted is seen"
}

go_modules() {
  local output
  if output=$("${scan[@]}" -db "${GOVULNDB:-https://vuln.go.dev}" ./... 2>&1); then
    tail -n 1 <<<"$output"
  elif grep -q '^govulncheck: fetching vulnerabilities: ' <<<"$output"; then
    not_audited "Go modules" "$(grep '^govulncheck: ' <<<"$output")"
  else
    fail "$output"
  fi
}

# npm_packages LOCKFILE
npm_packages() {
  local folder rc=0
  folder=$(dirname "$1")
  (cd "$folder" && npm audit --package-lock-only --json 2>"$work/npm.log" >"$work/npm.json") || true # 1 means findings, and no answer, too
  node internal/audit/npm.cjs "$1" "$work/npm.json" || rc=$?
  case $rc in
    0) ;;
    3) not_audited "$1" "the registry answers no audits here" ;;
    *) fail "$1 has a critical vulnerability" ;;
  esac
}

mkdir -p "$work"
planted
go_modules
for lock in "${locks[@]}"; do npm_packages "$lock"; done
