#!/bin/bash
# stub.sh: metrics.k8s.io by metrics.py, as an aggregated API; autoscalers ask it.
cd "$(dirname "$0")"; . ./env.sh; set -e; S=$(pwd); cd "$H"
setsid nohup python3 $S/metrics.py > log/metrics.log 2>&1 < /dev/null & echo $! > run/metrics-server.pid
kubectl apply -f - <<Y >/dev/null
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Service, metadata: {namespace: kube-system, name: metrics-server}, spec: {ports: [{name: https, port: 443, targetPort: 20443}]}}
- {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {namespace: kube-system, name: metrics-server, labels: {kubernetes.io/service-name: metrics-server}}, addressType: IPv4, ports: [{name: https, port: 20443, protocol: TCP}], endpoints: [{addresses: ["$NODEIP"], conditions: {ready: true}}]}
- {apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1beta1.metrics.k8s.io}, spec: {group: metrics.k8s.io, version: v1beta1, service: {name: metrics-server, namespace: kube-system}, insecureSkipTLSVerify: true, groupPriorityMinimum: 100, versionPriority: 100}}
Y
kubectl wait --for=condition=Available apiservice/v1beta1.metrics.k8s.io --timeout=60s
