# shellcheck shell=bash disable=SC2154 # what ship.sh has
# Sourced by ship.sh: an app that installed our packed tarball, and what its tools need. It is examples/react-native.

# make_app DIR TARBALL
make_app() {
  local dir=$1
  mkdir -p "$dir"
  if ! cmp -s "$ship/package-lock.json" "$dir/.installed"; then
    cp "$ship/package.json" "$ship/package-lock.json" "$dir/"
    npm ci --prefix "$dir" --ignore-scripts --no-fund --no-audit --loglevel=error
    cp "$ship/package-lock.json" "$dir/.installed"
  fi
  rm -rf "$dir/node_modules/@opentim"
  mkdir -p "$dir/node_modules/@opentim/react-native"
  tar xzf "$2" -C "$dir/node_modules/@opentim/react-native" --strip-components=1
  cp -r examples/react-native/{App.tsx,index.js,src,babel.config.js,metro.config.js,package.json} "$dir/"
}
