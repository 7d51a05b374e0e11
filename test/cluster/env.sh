# Common settings of up.sh, down.sh and the tests.
export H=${CLUSTER_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway-test/cluster}
export KV=1.34.4            # kubernetes; staging modules are v0.${KV#1.}
export NODE=n1 NODEIP=10.200.0.1 PODS=10.244.1.0/24 SVC=10.96.0.0/16 APIIP=10.96.0.1 DNSIP=10.96.0.10
export APIPORT=16443
export PATH=$H/bin:/usr/sbin:/sbin:$PATH
export KUBECONFIG=$H/etc/admin.kubeconfig
export CONTAINER_RUNTIME_ENDPOINT=unix://$H/run/containerd.sock IMAGE_SERVICE_ENDPOINT=unix://$H/run/containerd.sock
