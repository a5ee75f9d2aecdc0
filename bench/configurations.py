"""The files that the programs under test are started with, as templates for str.format()."""

CIPHER = "TLS_AES_128_GCM_SHA256"

NGINX = """{user}daemon off; worker_processes 1; worker_rlimit_nofile 20000; pid {name}.pid; error_log stderr error;
events {{ worker_connections 8192; }}
http {{
  access_log off; tcp_nodelay on; keepalive_requests 1000000000; keepalive_timeout 300s;
  client_body_temp_path {name}.body; proxy_temp_path {name}.proxy; fastcgi_temp_path {name}.fastcgi;
  uwsgi_temp_path {name}.uwsgi; scgi_temp_path {name}.scgi;
  {http}
}}
"""
# Bodies pass through as they come; by default nginx writes them to a file first.
NGINX_STREAMED = "client_max_body_size 0; proxy_request_buffering off; client_body_buffer_size 256k;"
NGINX_UPSTREAM = """sendfile on; server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /small {{ return 200 "{body}"; }}
    location = /big {{ root {files}; }}
    location = /upload {{ proxy_pass http://127.0.0.1:{service}; proxy_http_version 1.1; {streamed} }}
  }}"""
NGINX_PROXY = """upstream next {{ server 127.0.0.1:{next}; keepalive 256; keepalive_requests 1000000000; }}
  server {{
    {listen} {server}
    location / {{
      proxy_pass {scheme}://next; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_max_temp_file_size 0; {streamed} {proxy}
    }}
  }}"""
NGINX_PUBLIC = "listen 127.0.0.1:{port} backlog=4096; listen 127.0.0.1:{tls} ssl backlog=4096;"
NGINX_CERTIFICATE = ("ssl_certificate {folder}/tls.pem; ssl_certificate_key {folder}/tls.key; ssl_protocols TLSv1.3; "
                     f"ssl_conf_command Ciphersuites {CIPHER};")
NGINX_TO_TLS = (f"proxy_ssl_protocols TLSv1.3; proxy_ssl_session_reuse on; "
                f"proxy_ssl_conf_command Ciphersuites {CIPHER};")

HAPROXY = """global
  nbthread 1
  maxconn 8192
defaults
  mode http
  backlog 4096
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  http-reuse always
  option forwardfor
frontend public
  {binds}
  default_backend next
backend next
  server next 127.0.0.1:{next} {server}
"""
HAPROXY_TLS = f"ssl crt {{folder}}/both.pem ssl-min-ver TLSv1.3 ciphersuites {CIPHER}"
HAPROXY_PUBLIC = "bind 127.0.0.1:{port}\n  bind 127.0.0.1:{tls} " + HAPROXY_TLS + " alpn http/1.1"
HAPROXY_PRIVATE = "bind 127.0.0.1:{port} proto h2 " + HAPROXY_TLS + " alpn h2"
HAPROXY_TO_TLS = f"proto h2 ssl verify none alpn h2 ssl-min-ver TLSv1.3 ciphersuites {CIPHER}"

# The Tunnel that is loaded, with the certificate of visitors whose name nobody has.
TUNNEL = """apiVersion: adit.dev/v1alpha1
kind: Tunnel
metadata: {{name: bench, namespace: default}}
spec:
  id: {tunnel}
  tls: {{secretName: bench-tls}}
  routes:
{routes}
---
apiVersion: v1
kind: Secret
metadata: {{name: bench-connector, namespace: default}}
type: adit.dev/connector-token
data: {{token: {token}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: bench-tls, namespace: default}}
type: kubernetes.io/tls
data: {{tls.crt: {certificate}, tls.key: {key}}}
"""
# One of thousands that are only configured; they share a token.
OTHER_TUNNEL = """apiVersion: adit.dev/v1alpha1
kind: Tunnel
metadata: {{name: other-{number}, namespace: default}}
spec:
  connectorTokens: [{{secretName: bench-connector}}]
  routes:
  - {{host: other-{number}.test}}
"""
