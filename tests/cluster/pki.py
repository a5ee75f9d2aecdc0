"""The certificates of a control plane, made with openssl. Keys are readable by their owner alone."""
import os
import pathlib
import subprocess


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


def _new_key(file):
    return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", file


class Authority:
    """A CA in a folder: NAME.crt and NAME.key, and beside them what it issues."""

    def __init__(self, folder, name="ca"):
        self.folder = pathlib.Path(folder)
        self.certificate, self._key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        if not self.certificate.exists():
            _openssl("req", "-x509", *_new_key(self._key), "-out", self.certificate, "-days", "30",
                     "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE",
                     "-addext", "keyUsage=critical,keyCertSign")
        self._serial = int.from_bytes(os.urandom(8), "big")

    def issue(self, name, subject, usage, alternatives=""):
        """A key pair as two files. usage: serverAuth or clientAuth; alternatives as openssl writes them."""
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        lines = ["basicConstraints=critical,CA:FALSE", f"extendedKeyUsage={usage}", "authorityKeyIdentifier=keyid"]
        extensions.write_text("\n".join(lines + ([f"subjectAltName={alternatives}"] if alternatives else [])) + "\n")
        self._serial += 1
        _openssl("req", *_new_key(key), "-out", request, "-subj", subject)
        # Renamed over the old one, since a server reads it again whenever it likes.
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key,
                 "-set_serial", self._serial, "-days", "30", "-extfile", extensions, "-out", f"{certificate}.new")
        os.replace(f"{certificate}.new", certificate)
        request.unlink()
        extensions.unlink()
        return certificate, key


def signing_key(private, public):
    """A key pair for ServiceAccount tokens."""
    _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", private)
    _openssl("pkey", "-in", private, "-pubout", "-out", public)
