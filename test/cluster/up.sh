#!/usr/bin/env bash
# up.sh: starts a Kubernetes of one node (NODES=2: two) and waits until it is Ready. Needs root and what build.sh built.
set -e
cd "$(dirname "$0")"
. ./env.sh
mkdir -p "$H/bin" "$H/etc" "$H/log" "$H/run" "$H/var"
[ -x "$H/bin/kube" ] || { echo "there is no $H/bin/kube: run build.sh" >&2; exit 1; }
for program in kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl; do
  ln -sf kube "$H/bin/$program"
done
./pki.sh
[ -f "$H/var/pause.tar" ] || python3 pause.py "$H/var/pause.tar"
./control.sh
./node.sh n1 10.200.0.1 10.244.1.0/24 kc1 20250
nodes=n1
if [ "${NODES:-1}" -ge 2 ]; then
  ./node.sh n2 10.200.0.2 10.244.2.0/24 kc2 20251
  nodes="n1 n2"
fi
for node in $nodes; do
  for _ in $(seq 300); do kubectl get node "$node" >/dev/null 2>&1 && break; sleep 0.2; done
  kubectl wait --for=condition=Ready "node/$node" --timeout=120s
done
for _ in $(seq 100); do kubectl get sa default >/dev/null 2>&1 && break; sleep 0.2; done
