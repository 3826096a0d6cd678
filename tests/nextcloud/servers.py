"""Starts a third-party WebDAV server on a free port of loopback. Its settings and its log are in a temporary folder."""

import http.client
import os
import pathlib
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


class Server:
    """One server on one folder, which is empty or holds files. `address` is its host and port. It ends with the `with` block."""

    def __init__(self, name, folder):
        self.state = tempfile.TemporaryDirectory(prefix="nextcloud-test-")
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        words = {"FOLDER": folder, "STATE": self.state.name, "PORT": str(port)}
        commands = {
            "rclone": ["rclone", "serve", "webdav", "FOLDER", "--addr", "127.0.0.1:PORT", "--dir-cache-time", "0s", "--vfs-cache-mode", "off"],
            "wsgidav": [sys.executable, "-m", "wsgidav.server.server_cli", "--host", "127.0.0.1", "--port", "PORT", "--root", "FOLDER",
                        "--auth", "anonymous", "--server", "cheroot", "--no-config", "-q"],
            "apache": ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", self.settings("apache.conf", words)],
            "lighttpd": ["/usr/sbin/lighttpd", "-D", "-f", self.settings("lighttpd.conf", words)],
            "sabredav": ["php", "-d", "display_errors=0", "-d", "log_errors=1", "-S", "127.0.0.1:PORT", self.settings("sabredav.php", words)],
        }
        # Apache refuses to serve as root.
        owner = "nobody" if name == "apache" and os.getuid() == 0 else None
        if owner is not None:
            account = pwd.getpwnam(owner)
            for path in (folder, self.state.name):
                os.chown(path, account.pw_uid, account.pw_gid)
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([replace(it, words) for it in commands[name]], user=owner, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)

    @property
    def log(self):
        return f"{self.state.name}/log"

    def settings(self, name, words):
        """Writes a file of settings, and gives its path."""
        path = pathlib.Path(self.state.name) / name
        path.write_text(replace((HERE / name).read_text(), words))
        path.chmod(0o644)
        return str(path)

    def __enter__(self):
        for _ in range(400):
            try:
                connection = http.client.HTTPConnection(self.address, timeout=5)
                connection.request("OPTIONS", "/")
                connection.getresponse().read()
                return self
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        said = pathlib.Path(self.log).read_text()
        self.__exit__()
        raise SystemExit(f"{self.process.args[0]} does not start: {said}")

    def __exit__(self, *_):
        # Some have processes of their own, which end when the first one is asked to end.
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.state.cleanup()


def replace(text, words):
    for word, value in words.items():
        text = text.replace(word, value)
    return text
