"""Several gateways of one installation: the same manifests and link certificate, ports of their own, and links between them."""
import visitor
from programs import BIN, free_port, wait_until

PEER_NAME = "adit-gateway-peer"


class Replica:
    """One gateway; start() it. `keys`: (chain, key, CA) for links between gateways; None: in the clear."""

    def __init__(self, edge, name, keys):
        self.edge, self.name, self.keys = edge, name, keys
        self.http, self.link, self.admin, self.peer = (free_port() for _ in range(4))
        self.program, self.starts = None, 0

    def flags(self, peers):
        flags = ["--manifests", self.edge.manifests, "--http", f"127.0.0.1:{self.http}", "--https", "off",
                 "--link", f"127.0.0.1:{self.link}", "--link-host", "localhost", "--link-cert", self.edge.link_chain,
                 "--link-key", self.edge.link_key, "--admin", f"127.0.0.1:{self.admin}",
                 "--peer-listen", f"127.0.0.1:{self.peer}"]
        if peers:
            flags += ["--peers", ",".join(peers)]
        if self.keys:
            flags += ["--peer-cert", self.keys[0], "--peer-key", self.keys[1], "--peer-ca", self.keys[2]]
        else:
            flags.append("--insecure")
        return flags

    def start(self, peers, *flags, wait=True):
        """`peers`: replicas, or addresses as text."""
        addresses = [peer if isinstance(peer, str) else f"127.0.0.1:{peer.peer}" for peer in peers]
        self.starts += 1
        name = self.name if self.starts == 1 else f"{self.name}-{self.starts}"
        self.program = self.edge.run(name, [BIN / "adit-gateway", *self.flags(addresses), *flags])
        if wait:
            self.edge.wait_ready(self.program, self.admin)
        return self

    def status(self):
        return self.edge.status(self.admin)

    def metrics(self):
        return self.edge.metrics(self.admin)

    @property
    def id(self):
        return self.status()["id"]

    def peers(self):
        """address → what /status says of it."""
        return {peer["address"]: peer for peer in self.status()["peers"]}

    def sees(self, other, tunnels=None):
        """There is a link to it, it is ready, and has so many tunnels."""
        peer = self.peers().get(f"127.0.0.1:{other.peer}", {})
        return peer.get("state") == "up" and peer["ready"] and tunnels in (None, peer["tunnels"])

    def wait_sees(self, other, tunnels=None):
        return wait_until(lambda: self.sees(other, tunnels), f"{self.name} sees {other.name} with {tunnels} tunnels")

    def get(self, path="/", **rest):
        return visitor.get(self.http, path, **rest)

    def access_log(self, count):
        edge_gateway, self.edge.gateway = self.edge.gateway, self.program
        try:
            return self.edge.wait_access_log(count)
        finally:
            self.edge.gateway = edge_gateway


class Fleet:
    """Replicas by name, made as they are asked for; all know each other."""

    def __init__(self, edge):
        self.edge = edge
        chain, key = edge.authority.issue(PEER_NAME)
        self.keys = (chain, key, edge.authority.file)
        self.replicas = {}

    def make(self, *names):
        for name in names:
            self.replicas[name] = Replica(self.edge, name, self.keys)
        return [self.replicas[name] for name in names]

    def start(self, *names, flags=()):
        made = self.make(*names)
        for replica in made:
            replica.start([other for other in made if other is not replica], *flags)
        return made

    def connector(self, replica, service, name="connector", **rest):
        return self.edge.start_connector(service, name=name, gateway=f"localhost:{replica.link}", **rest)
