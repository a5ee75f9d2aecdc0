"""Workloads, and one run of a load generator: wrk, or bench_handshakes where each request needs a whole handshake."""
import dataclasses
import json
import pathlib
import subprocess

from systems import BIG_BYTES, SMALL_BODY

HERE = pathlib.Path(__file__).resolve().parent

# What a browser sends with a page's fifteenth request, Host included: 15 fields, 700 bytes.
BROWSER_HEADERS = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8",
    "Accept-Encoding: gzip, deflate, br",
    "Cache-Control: max-age=0",
    'Sec-CH-UA: "Chromium";v="126", "Not-A.Brand";v="8"',
    "Sec-CH-UA-Mobile: ?0",
    'Sec-CH-UA-Platform: "Linux"',
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Site: same-origin",
    "Upgrade-Insecure-Requests: 1",
    "Referer: http://shop.example.com/list?page=2",
    "Cookie: session=5f2b8c0e9d7a4b16a3c1; theme=dark; consent=all; _ga=GA1.1.1042.171",
)
CLOSE = ("Connection: close",)


@dataclasses.dataclass(frozen=True)
class Workload:
    """What is asked of each system, by so many connections at once."""
    name: str
    title: str
    connections: int = 64
    path: str = "/small"
    headers: tuple = ()
    tls: bool = False
    handshakes: bool = False  # by bench_handshakes: wrk resumes sessions
    direct: bool = True  # the upstream alone is loaded, too
    body: int = 0  # bytes of each request's
    two_workers: bool = False  # Adit with two of each is loaded, too

    @property
    def bulk(self):
        return self.path == "/big" or self.body != 0

    @property
    def unit(self):
        return "Gbit/s" if self.bulk else "handshakes/s" if self.handshakes else "req/s"

    def includes(self, system):
        return (self.direct or system != "direct") and (self.two_workers or system != "adit-two")


WORKLOADS = {w.name: w for w in (
    Workload("small", f"Small answers: {len(SMALL_BODY)} bytes, keep-alive, 64 connections", two_workers=True),
    Workload("one", "Small answers to one client, one after the other", 1),
    Workload("four", "Small answers to four clients", 4),
    Workload("bulk", f"Bulk: 8 downloads at once of {BIG_BYTES >> 20} MiB", 8, "/big", two_workers=True),
    Workload("bulk1", f"Bulk: one download of {BIG_BYTES >> 20} MiB after the other", 1, "/big"),
    Workload("upload", "Bulk: 8 uploads at once of 16 MiB", 8, "/upload", body=16 << 20),
    Workload("close", "A new connection for each request: small answers, 64 at once", headers=CLOSE),
    Workload("browser", "A browser's request: 15 headers of 700 bytes with cookies, keep-alive, 64 connections",
             headers=BROWSER_HEADERS),
    Workload("tls", "Visitors by TLS 1.3: small answers, keep-alive, 64 connections", tls=True, direct=False),
    Workload("handshake", "A TLS 1.3 handshake for each request: ECDSA P-256, no resumption, 64 at once",
             headers=CLOSE, tls=True, handshakes=True, direct=False),
)}


def command(system, workload, seconds, hosts, tools):
    if workload.handshakes:
        return [str(tools / "bench_handshakes"), str(system.tls_port), str(workload.connections), str(seconds)]
    # By name where there is TLS: an address must not stand in SNI.
    url = f"https://localhost:{system.tls_port}" if workload.tls else f"http://127.0.0.1:{system.port}"
    headers = [word for header in workload.headers for word in ("-H", header)]
    script = "hosts.lua" if hosts else "upload.lua" if workload.body else "report.lua"
    argument = hosts or workload.body
    return ["wrk", "-t1", f"-c{workload.connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", *headers,
            "-s", str(HERE / script), url + workload.path, *(["--", str(argument)] if argument else [])]


def load(system, workload, seconds, hosts=0, tools=None):
    """One run: its figures, with the CPU seconds that each program of the system used meanwhile.

    `hosts`: how many names (see hosts.lua) the requests go to in turn; 0: they name the address.
    """
    before = [program.cpu_seconds() for program in system.programs]
    run = subprocess.run(command(system, workload, seconds, hosts, tools), capture_output=True, text=True,
                         timeout=seconds + 30, check=False)
    after = [program.cpu_seconds() for program in system.programs]
    line = next((l for l in run.stdout.splitlines() if l.startswith("RESULT ")), None)
    if line is None:
        raise SystemExit(f"no result for {system.name} {workload.name}:\n{run.stdout}{run.stderr}")
    figures = json.loads(line[len("RESULT "):])
    if workload.body:
        figures["bytes"] = figures["requests"] * workload.body  # not those of the answers
    figures["cpu"] = [b - a for a, b in zip(before, after)]
    return figures


def amount(workload, found):
    """What CPU is divided by: requests, or 10^9 bytes."""
    return found["bytes"] / 1e9 if workload.bulk else found["requests"]


def rate(workload, found):
    """Requests or Gbit a second."""
    return amount(workload, found) / found["seconds"] * (8 if workload.bulk else 1)


def cpu(workload, found, program=None):
    """CPU µs per request or CPU s per GB, of one program or of all together."""
    used = sum(found["cpu"]) if program is None else found["cpu"][program]
    return used / max(amount(workload, found), 1e-9) * (1 if workload.bulk else 1e6)


def one_line(system, workload, found):
    cost = " + ".join(f"{cpu(workload, found, i):.2f}" for i in range(len(found["cpu"])))
    errors = f", {found['errors']} ERRORS" if found["errors"] else ""
    return (f"{workload.name:9} {system.name:9} {rate(workload, found):10,.1f} {workload.unit}"
            f"  CPU {cost or '–'} {'s/GB' if workload.bulk else 'µs/req'}  p99 {found['p99_us']} µs{errors}")
