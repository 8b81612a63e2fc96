"""Certificates for tests, made by the command openssl."""

import pathlib
import subprocess
import tempfile


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, f"openssl {arguments}: {done.stderr}"
    return done.stdout


class Authority:
    """One authority, in a folder of its own that goes with it."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="posto-authority-")
        self.folder = pathlib.Path(self._folder.name)
        self.certificate = self.folder / "ca.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.folder / "ca.key",
                "-out", self.certificate, "-days", "30", "-subj", "/CN=Posto test authority", "-addext",
                "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, name, names="DNS:localhost,IP:127.0.0.1", days=30, usage="extendedKeyUsage=serverAuth", issuer=None):
        """A certificate and its key, as two paths; with negative `days` it has ended."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-subj", f"/CN={name}",
                "-out", request)
        extensions.write_text(f"subjectAltName={names}\n{usage}\n")
        signer, signer_key = issuer or (self.certificate, self.folder / "ca.key")
        openssl("x509", "-req", "-in", request, "-CA", signer, "-CAkey", signer_key, "-CAcreateserial", "-days", str(days), "-extfile",
                extensions, "-out", certificate)
        key.chmod(0o600)
        return certificate, key

    def close(self):
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
