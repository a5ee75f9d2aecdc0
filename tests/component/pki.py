"""Certificates as a cluster would have them: a CA and key pairs that it signs. Made with openssl, in a folder."""
import base64
import subprocess


class Authority:
    def __init__(self, folder, name="ca"):
        self.folder = folder
        self.file = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"
        self._run("req", "-x509", *self.new_key(self.key), "-out", self.file, "-days", "30", "-subj", f"/CN=test {name}",
                  "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")

    @staticmethod
    def new_key(file):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", file

    def _run(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)

    def issue(self, *names, days=30):
        """A key pair for DNS names and addresses, as two files: chain and key."""
        stem = "+".join(names).replace("*", "_")  # another pair for other names, whoever reads this one again
        chain, key = self.folder / f"{stem}.pem", self.folder / f"{stem}.key"
        request, extensions = self.folder / f"{stem}.csr", self.folder / f"{stem}.ext"
        alternatives = ",".join(("IP:" if n.replace(".", "").isdigit() else "DNS:") + n for n in names)
        extensions.write_text(f"subjectAltName={alternatives}\n")
        self._run("req", *self.new_key(key), "-out", request, "-subj", f"/CN={names[0]}")
        self._run("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.key, "-CAcreateserial",
                  "-out", chain, "-days", str(days), "-extfile", extensions)
        return chain, key


def tls_secret(name, chain, key, space="default"):
    """The Secret manifest of a key pair."""
    data = [base64.b64encode(file.read_bytes()).decode() for file in (chain, key)]
    return (f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: {space}}}\ntype: kubernetes.io/tls\n"
            f"data:\n  tls.crt: {data[0]}\n  tls.key: {data[1]}\n")
