"""HTTPS beside nginx: CPU time per request on connections that stay, and per full and resumed handshake.

Both servers are one process on one CPU with the same OpenSSL, certificate (EC P-256), protocol (TLS 1.3),
cipher and group, one ticket a handshake, and answer the same body. Rounds are interleaved; a handshake is a
connection of its own with one request, and as many of them are under way as there are connections that stay.
"""

import json
import re
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from runner.processes import RunError, Server, free_port, prepare_child
from runner.report import Line

BOUND = 1.1  # Times nginx.
CONNECTIONS = 100
KINDS = {
    "keep-alive": "HTTPS, 100 connections that stay: CPU of nginx a request / ours",
    "full": "TLS handshakes, full, with a request each: CPU of nginx / ours",
    "resumed": "TLS handshakes, resumed, with a request each: CPU of nginx / ours",
    "full-rsa": "TLS handshakes, full, RSA 2048, with a request each: CPU of nginx / ours",
}
NGINX = """
daemon off; master_process off; worker_processes 1; pid {directory}/pid; error_log stderr crit;
events {{ worker_connections 4096; multi_accept on; }}
http {{
  access_log off; server_tokens off; keepalive_requests 1000000000; keepalive_timeout 75s;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
  ssl_certificate {directory}/cert-{kind}.pem; ssl_certificate_key {directory}/key-{kind}.pem;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve X25519:P-256:P-384; ssl_prefer_server_ciphers on;
  ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256; ssl_conf_command NumTickets 1;
  ssl_session_tickets on; ssl_session_timeout 2h;
  server {{
    listen 127.0.0.1:{port} ssl reuseport backlog=4096;
    location / {{ default_type text/plain; return 200 "Hello world!"; }}
  }}
}}
"""


def available():
    return all(shutil.which(program) for program in ("nginx", "wrk", "openssl"))


def make_certificate(directory, kind):
    key = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else ["rsa:2048"]
    command = ["openssl", "req", "-x509", "-newkey", *key, "-nodes",
               "-days", "2", "-subj", "/CN=localhost", "-keyout", directory / f"key-{kind}.pem",
               "-out", directory / f"cert-{kind}.pem"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RunError(f"openssl req: {done.stderr.strip()}")


def run(command, cpu):
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=prepare_child(cpu), check=False)
    if done.returncode != 0:
        raise RunError(f"{command[0]}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def load(kind, handshakes, port, cpu, seconds):
    """Requests that were answered rightly."""
    if kind != "keep-alive":
        return json.loads(run([str(handshakes), str(port), str(seconds), kind.split("-")[0], str(CONNECTIONS)], cpu))["handshakes"]
    said = run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", f"https://127.0.0.1:{port}/"], cpu)
    wrong = re.search(r"(Socket errors:.*|Non-2xx.*)", said)
    found = re.search(r"(\d+) requests in", said)
    if wrong or not found:
        raise RunError(f"wrk: {wrong.group(1) if wrong else said}")
    return int(found.group(1))


def cpu_per_request(kind, handshakes, server, cpu, seconds):
    """Microseconds."""
    before = server.cpu_count()
    count = load(kind, handshakes, server.port, cpu, seconds)
    return (server.cpu_count() - before).total / count * 1e6


def measure(programs, server_cpu, load_cpu, rounds, seconds, details):
    handshakes = programs.server.parent.parent / "tls" / "handshakes"
    lines = []
    for certificate in ("ec", "rsa"):
        kinds = [kind for kind in KINDS if kind.endswith("-rsa") == (certificate == "rsa")]
        with tempfile.TemporaryDirectory(prefix="millrace-tls-") as name:
            directory = Path(name)
            make_certificate(directory, certificate)
            ports = [free_port(), free_port()]
            (directory / "nginx.conf").write_text(
                NGINX.format(directory=directory, port=ports[1], kind=certificate))
            own = [programs.server, "--tls-listen", f"127.0.0.1:{ports[0]}", "--cores", 1, "--tls-cert",
                   directory / f"cert-{certificate}.pem", "--tls-key", directory / f"key-{certificate}.pem",
                   "--config", "/dev/null"]
            peer = ["nginx", "-p", directory, "-c", directory / "nginx.conf"]
            with Server(own, server_cpu, ports[0]) as ours, Server(peer, server_cpu, ports[1]) as nginx:
                for kind in kinds:
                    samples = [(cpu_per_request(kind, handshakes, ours, load_cpu, seconds),
                                cpu_per_request(kind, handshakes, nginx, load_cpu, seconds))
                               for _ in range(rounds)]
                    details[f"tls {kind}"] = samples
                    lines.append(line_of(KINDS[kind], samples))
    return lines


def line_of(title, samples):
    ours, nginx = (statistics.median(sample[i] for sample in samples) for i in (0, 1))
    ratios = sorted(sample[1] / sample[0] for sample in samples)
    ratio = nginx / ours
    text = f"{ratio:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}; {ours:.1f} us, nginx {nginx:.1f} us)"
    return Line(title, round(ratio, 3), text, at_least=BOUND)
