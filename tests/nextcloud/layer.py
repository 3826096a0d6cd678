"""Makes a Nextcloud of a WebDAV server that nobody here wrote: adds the user id, numbers of files, and ETags of folders.

Usage: layer.py SERVER FOLDER [PORT]. It starts the server (`wsgidav` or `rclone`) on the folder, prints its own port, and ends when its
standard input does. `GET /layer/asked` gives the requests since the last time, as `METHOD path` without the account's prefix.
"""

import base64
import http.client
import json
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote, urlsplit

PREFIX = "/remote.php/dav/files/ada"
LOGIN = "Basic " + base64.b64encode(b"ann:canary-app-password-7f3").decode()
DAV, OC = "{DAV:}", "{http://owncloud.org/ns}"
ET.register_namespace("d", "DAV:")
ET.register_namespace("oc", "http://owncloud.org/ns")

lock = threading.RLock()
ids, versions, asked = {}, {}, []
counter = 99
backend = None


def next_number():
    global counter
    counter += 1
    return counter


def moved(table, old, new):
    """Moves the entries of a path and of everything below it. Without a new path they go."""
    for path in [it for it in table if it == old or it.startswith(old + "/")]:
        value = table.pop(path)
        if new is not None:
            table[new + path[len(old):]] = value


def touch(path):
    """Changes the ETags of all folders above a path, and its own."""
    parts = path.split("/")
    for end in range(1, len(parts) + 1):
        versions["/".join(parts[:end])] = next_number()


def written(method, path, destination):
    with lock:
        if method == "DELETE":
            moved(ids, path, None)
            moved(versions, path, None)
        if method in ("MOVE", "COPY"):
            moved(ids, destination, None)
        if method == "MOVE":
            moved(ids, path, destination)
            moved(versions, path, destination)
        touch(path)
        if destination is not None:
            touch(destination)


def enrich(body):
    tree = ET.fromstring(body)
    for response in tree.findall(DAV + "response"):
        href = response.find(DAV + "href")
        path = unquote(urlsplit(href.text).path).rstrip("/")
        href.text = PREFIX + quote(path) + ("/" if href.text.endswith("/") else "")
        for part in response.findall(DAV + "propstat"):
            if " 200" not in part.findtext(DAV + "status", ""):
                continue
            prop = part.find(DAV + "prop")
            with lock:
                number = ids.setdefault(path, None) or next_number()
                ids[path] = number
                if prop.find(f"{DAV}resourcetype/{DAV}collection") is not None:
                    tag = prop.find(DAV + "getetag")
                    tag = ET.SubElement(prop, DAV + "getetag") if tag is None else tag
                    tag.text = f'"{versions.get(path, 0):x}"'
            for name, text in [("fileid", number), ("permissions", "RGDNVW"), ("owner-id", "ada"),
                               ("owner-display-name", "Ada")]:
                ET.SubElement(prop, OC + name).text = str(text)
    return ET.tostring(tree, encoding="utf-8", xml_declaration=True)


class Layer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body of an answer leave together. In two parts, the second waits for the client's acknowledgement, up to 40 ms.
    wbufsize = -1
    server_side = None

    def log_message(self, *_):
        pass

    def body(self):
        if "chunked" in self.headers.get("transfer-encoding", ""):
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def reply(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def ask(self, path, body, headers):
        """Asks the server. Each connection of a client has one to the server, which may have closed it meanwhile."""
        for _ in range(2):
            self.server_side = self.server_side or http.client.HTTPConnection(backend, timeout=30)
            try:
                self.server_side.request(self.command, path, body, headers)
                got = self.server_side.getresponse()
                return got, got.read()
            except (OSError, http.client.HTTPException):
                self.server_side.close()
        return None, b""

    def finish(self):
        if self.server_side is not None:
            self.server_side.close()
        super().finish()

    def answer(self):
        body, path = self.body(), unquote(urlsplit(self.path).path)
        if path == "/layer/asked":
            with lock:
                said = json.dumps(asked).encode()
                asked.clear()
            return self.reply(200, [("content-type", "application/json")], said)
        if self.headers.get("authorization") != LOGIN:
            return self.reply(401, [("www-authenticate", 'Basic realm="layer"')], b"")
        with lock:
            asked.append(f"{self.command} {path.removeprefix(PREFIX)}")
        if path == "/ocs/v2.php/cloud/user":
            said = json.dumps({"ocs": {"data": {"id": "ada"}}}).encode()
            return self.reply(200, [("content-type", "application/json")], said)
        if not path.startswith(PREFIX):
            return self.reply(404, [], b"")
        hop = ("host", "connection", "content-length", "transfer-encoding", "authorization", "accept-encoding", "destination")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in hop}
        short, destination = path.removeprefix(PREFIX), None
        if "destination" in self.headers:
            destination = unquote(urlsplit(self.headers["destination"]).path).removeprefix(PREFIX)
            headers["Destination"] = f"http://{backend}{quote(destination)}"
        got, said = self.ask(quote(short or "/"), body or None, headers)
        if got is None:
            return self.reply(503, [], b"")
        if got.status < 300 and self.command in ("PUT", "DELETE", "MKCOL", "MOVE", "COPY"):
            written(self.command, short.rstrip("/"), destination and destination.rstrip("/"))
        if got.status == 207 and self.command == "PROPFIND":
            said = enrich(said)
        kept = ("content-type", "etag", "last-modified", "dav", "allow")
        headers = [(name, value) for name, value in got.getheaders() if name.lower() in kept]
        return self.reply(got.status, headers, said)

    do_GET = do_HEAD = do_PUT = do_DELETE = do_OPTIONS = do_POST = answer
    do_PROPFIND = do_PROPPATCH = do_MKCOL = do_MOVE = do_COPY = do_LOCK = do_UNLOCK = answer


def free_port():
    import socket

    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def main():
    global backend
    server, folder, port = (sys.argv[1:] + ["0"])[:3]
    backend = f"127.0.0.1:{free_port()}"
    backend_host, backend_port = backend.split(":")
    command = {
        "rclone": ["rclone", "serve", "webdav", folder, "--addr", backend, "--dir-cache-time", "0s", "--vfs-cache-mode", "off"],
        "wsgidav": [sys.executable, "-m", "wsgidav.server.server_cli", "--host", backend_host, "--port", backend_port, "--root", folder,
                    "--auth", "anonymous", "--server", "cheroot", "--no-config", "-q"],
    }[server]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                connection = http.client.HTTPConnection(backend, timeout=1)
                connection.request("OPTIONS", "/")
                connection.getresponse()
                break
            except OSError:
                time.sleep(0.05)
        layer = ThreadingHTTPServer(("127.0.0.1", int(port)), Layer)
        threading.Thread(target=layer.serve_forever, daemon=True).start()
        print(layer.server_port, flush=True)
        sys.stdin.read()
    finally:
        process.kill()


main()
