#!/bin/bash
# demo.sh BIN — a page of a service that listens on loopback only, at http://localhost:8080 and https://localhost:8443
# through gateway, link and connector. Everything lives in a temporary folder and ends with Ctrl-C.
# DEMO_ONCE=1: end after the requests; the exit status says whether they succeeded.
set -euo pipefail
bin=$(cd "${1:?usage: demo.sh FOLDER-OF-PROGRAMS}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
tunnel=4d21094e-b74c-4916-86c1-d9fa36ea677b

work=$(mktemp -d)
pids=()
declare -A names=() commands=()
# start NAME COMMAND…: in the background, its output in NAME.log.
start() {
  local name=$1; shift
  "$@" >>"$name.log" 2>&1 &
  pids+=($!) names[$!]=$name commands[$!]=$(printf '%q ' "$@")
}
end() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

die() {
  printf 'demo: %s\n' "$1" >&2
  for log in "$work"/*.log; do
    [[ -s $log ]] && { printf -- '--- %s\n' "${log##*/}" >&2; tail -n 20 "$log" >&2; }
  done
  exit 1
}

for port in 8080 8443 7443 9090 9091 9080; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    die "port $port is in use; the demo needs 8080, 8443, 7443, 9090, 9091 and 9080"
  fi
done

# 1. What a cluster's operator would provide: a CA, a certificate for localhost, a token, and the manifests.
mkdir "$work/manifests"
cd "$work"
key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc)
{
  openssl req -x509 "${key[@]}" -keyout ca.key -out ca.pem -days 30 -subj "/CN=Adit demo CA" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
  openssl req "${key[@]}" -keyout tls.key -out tls.csr -subj "/CN=localhost"
  openssl x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out tls.pem \
    -extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1")
} 2>openssl.log || die "openssl could not make the certificates"
rm openssl.log
(umask 077 && openssl rand -hex 32 >token)

cat >manifests/demo.yaml <<YAML
apiVersion: adit.dev/v1alpha1
kind: Tunnel
metadata: {name: demo, namespace: default}
spec:
  id: $tunnel
  routes:
  - host: "*"
  tls: {mode: Terminate, secretName: demo-tls}
---
apiVersion: v1
kind: Secret
metadata: {name: demo-connector, namespace: default}
type: adit.dev/connector-token
stringData:
  token: $(cat token)
---
apiVersion: v1
kind: Secret
metadata: {name: demo-tls, namespace: default}
type: kubernetes.io/tls
data:
  tls.crt: $(base64 -w0 tls.pem)
  tls.key: $(base64 -w0 tls.key)
YAML

# 2. The private service, the gateway and the connector.
python=$(command -v /usr/bin/python3 || command -v python3) || die "python3 is missing"
start service "$python" -m http.server --bind 127.0.0.1 --directory "$here/page" 9080
start gateway "$bin/adit-gateway" --manifests manifests --http 127.0.0.1:8080 --https 127.0.0.1:8443 \
  --link 127.0.0.1:7443 --link-host localhost --link-cert tls.pem --link-key tls.key --admin 127.0.0.1:9090 \
  --access-log access.log
start connector "$bin/adit-connector" --gateway localhost:7443 --token-file token --ca-file ca.pem \
  --service http://127.0.0.1:9080 --admin 127.0.0.1:9091

# 3. Until both are ready: the gateway serves, and the connector holds a link.
ready() { curl -fsS -o /dev/null --max-time 2 "$1" 2>/dev/null; }
for ((try = 0; ; ++try)); do
  ready http://127.0.0.1:9090/readyz && ready http://127.0.0.1:9091/readyz && ready http://127.0.0.1:9080/ && break
  for pid in "${pids[@]}"; do kill -0 "$pid" 2>/dev/null || die "a program has ended"; done
  ((try < 150)) || die "gateway and connector were not ready within 30 s"
  sleep 0.2
done

# 4. A visitor.
for url in http://localhost:8080/ https://localhost:8443/; do
  curl -fsS --max-time 10 --cacert ca.pem -o page.html "$url" || die "no page at $url"
  cmp -s page.html "$here/page/index.html" || die "the page at $url is not the service's"
  printf 'fetched %-24s %s bytes, as the service has them\n' "$url" "$(wc -c <page.html)"
done

cat <<TEXT

  visitor → adit-gateway (:8080, :8443) ⇐ link over TLS (:7443) ⇐ adit-connector → service (127.0.0.1:9080)

  page      http://localhost:8080
            https://localhost:8443      (certificate of the demo's own CA: $work/ca.pem)
  metrics   http://localhost:9090/metrics  and  http://localhost:9091/metrics
  state     http://localhost:9090/status   and  http://localhost:9091/status
  manifests $work/manifests   (edit one: it takes effect at once)
  logs      $work/{gateway,connector,access}.log
TEXT
[[ ${DEMO_ONCE:-} != 1 ]] || exit 0
printf '\nCtrl-C ends the demo. Kill a program, and see what visitors get.\n'
while ((${#commands[@]})); do
  status=0
  wait -n -p ended "${!commands[@]}" 2>/dev/null || status=$?
  printf '\nThe %s has ended with status %d; its log is %s. Again:\n  (cd %q && %s)\n' \
    "${names[$ended]}" "$status" "$work/${names[$ended]}.log" "$work" "${commands[$ended]}"
  unset "commands[$ended]"
done
die "all programs have ended"
