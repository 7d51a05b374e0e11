#!/usr/bin/env bash
# Installs the programs that the tests talk to: registries, engines, image tools, a browser. May be run again at any
# time; a second run with nothing to do takes well under a second. Needs root or sudo for Debian packages; whatever
# cannot be had is named at the end, with the reason, and the tests that need it skip (or fail with
# SLIPWAY_REQUIRE_PEERS=1). Go programs go to $XDG_CACHE_HOME/slipway-test/bin, where test/support/peers.ts looks first.
set -euo pipefail

bin="${XDG_CACHE_HOME:-$HOME/.cache}/slipway-test/bin"
crane_module="github.com/google/go-containerregistry/cmd/crane"
crane_version="v0.20.6"
versitygw_module="github.com/versity/versitygw/cmd/versitygw"
versitygw_version="v1.8.0"

# program:package pairs; the program tells whether the package is there.
wanted=(
  docker-registry:docker-registry skopeo:skopeo podman:podman buildah:buildah runc:runc dockerd:docker.io
  mmdebstrap:mmdebstrap chromium:chromium htpasswd:apache2-utils iptables:iptables curl:curl git:git xz:xz-utils
  strace:strace zsh:zsh fish:fish groff:groff-base
  etcd:etcd-server containerd:containerd conntrack:conntrack gcc:gcc openssl:openssl
  python3:python3
)
# Packages without a program of their own; looked up in dpkg's database.
libraries=(python3-venv ca-certificates debian-archive-keyring containernetworking-plugins libc6-dev uidmap slirp4netns)

missing=()
say() { printf 'peers: %s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ]; }
is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

can_be_root() { [ "$(id -u)" = 0 ] || { has sudo && sudo -n true 2>/dev/null; }; }

list_packages() {
  local pair library
  for pair in "${wanted[@]}"; do has "${pair%%:*}" || printf '%s\n' "${pair##*:}"; done
  for library in "${libraries[@]}"; do is_installed "$library" || printf '%s\n' "$library"; done
}

# apt-get with room for another apt that is running, and without questions.
apt_get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"; }

# Nothing that a package installs is started: the tests start their own, on ports of their own.
forbid_services() {
  [ -e /usr/sbin/policy-rc.d ] && return
  printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
  as_root chmod 755 /usr/sbin/policy-rc.d
  trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
}

install_packages() {
  local packages package log
  mapfile -t packages < <(list_packages)
  [ "${#packages[@]}" = 0 ] && return
  if ! has apt-get; then missing+=("${packages[*]}: not a Debian or Ubuntu machine (no apt-get)"); return; fi
  if ! can_be_root; then missing+=("${packages[*]}: needs root, or sudo without a password"); return; fi
  say "installing ${packages[*]}"
  log="$(mktemp)"
  forbid_services
  apt_get update >"$log" 2>&1 || say "apt-get update: $(grep -m1 '^[EW]:' "$log" || tail -n 1 "$log")"
  if ! apt_get install -y --no-install-recommends "${packages[@]}" >"$log" 2>&1; then
    # One package that cannot be had must not take the others with it.
    for package in "${packages[@]}"; do
      apt_get install -y --no-install-recommends "$package" >"$log" 2>&1 || missing+=("$package: $(grep -m1 '^E:' "$log" || tail -n 1 "$log")")
    done
  fi
  rm -f "$log"
}

# A program of Go: name, module, version. The version that is there already is kept.
install_go_program() {
  local name="$1" module="$2" version="$3" log
  [ -x "$bin/$name" ] && [ "$(cat "$bin/.$name-version" 2>/dev/null)" = "$version" ] && return
  if ! has go; then missing+=("$name: there is no go to build it with"); return; fi
  say "building $name $version"
  mkdir -p "$bin"
  log="$(mktemp)"
  if GOBIN="$bin" GOFLAGS="-buildvcs=false" timeout 600 go install "$module@$version" >"$log" 2>&1; then
    printf '%s' "$version" >"$bin/.$name-version"
  else
    missing+=("$name: $(tail -n 1 "$log")")
  fi
  rm -f "$log"
}

install_packages
install_go_program crane "$crane_module" "$crane_version"
install_go_program versitygw "$versitygw_module" "$versitygw_version"

if [ "${#missing[@]}" = 0 ]; then
  say "all there"
else
  for reason in "${missing[@]}"; do say "could not get $reason"; done
fi
