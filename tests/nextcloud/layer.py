"""Makes a Nextcloud of a WebDAV server that nobody here wrote: adds the user id, numbers of files, and ETags of folders.

Usage: layer.py SERVER FOLDER [PORT]. It starts the server (a name in `servers.py`) on the folder, prints its own port, and ends when its
standard input does. It answers as Nextcloud's documentation and integration tests say; sizes of folders are left out. `GET /layer/asked` gives the requests since the last time, as `METHOD path` without the account's prefix.
"""

import base64
import http.client
import json
import mimetypes
import os
import re
import signal
import sys
import threading
import xml.etree.ElementTree as ET
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote, urlsplit

# The repository gets no compiled files.
sys.dont_write_bytecode = True
from servers import Server  # noqa: E402

PREFIX = "/remote.php/dav/files/ada"
META = "/remote.php/dav/meta/"
XML = [("content-type", "application/xml; charset=utf-8")]
LOGIN = "Basic " + base64.b64encode(b"ann:canary-app-password-7f3").decode()
DAV, OC, NC = "{DAV:}", "{http://owncloud.org/ns}", "{http://nextcloud.org/ns}"
ET.register_namespace("d", "DAV:")
ET.register_namespace("oc", "http://owncloud.org/ns")
ET.register_namespace("nc", "http://nextcloud.org/ns")

lock = threading.RLock()
ids, versions, asked = {}, {}, []
counter = 99
backend, folder = None, None


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
        if method != "COPY":
            touch(path)
        if destination is not None:
            touch(destination)


def encoded(path):
    """A path as sabre/dav writes it: small letters in escapes, and parentheses as they are."""
    return re.sub("%..", lambda it: it[0].lower(), quote(path, safe="/()"))


def number_of(path):
    with lock:
        return ids.get(path) or ids.setdefault(path, next_number())


def properties(path, said):
    """The properties of a file or folder, by name: what the server says of it, with what Nextcloud says."""
    found = {}
    for part in said.findall(DAV + "propstat"):
        if " 200" in part.findtext(DAV + "status", ""):
            found.update({prop.tag: prop for prop in part.find(DAV + "prop")})
    is_folder = found[DAV + "resourcetype"].find(DAV + "collection") is not None
    values = {OC + "fileid": number_of(path), OC + "permissions": "RGDNVCK" if is_folder else "RGDNVW", OC + "owner-id": "ada",
              OC + "owner-display-name": "Ada", OC + "favorite": 0, DAV + "creationdate": "1970-01-01T00:00:00+00:00"}
    if is_folder:
        found.pop(DAV + "getcontenttype", None)
        found.pop(DAV + "getcontentlength", None)
        with lock:
            values[DAV + "getetag"] = f'"{versions.get(path, 0):013x}"'
    else:
        values[OC + "size"] = found[DAV + "getcontentlength"].text
        values[DAV + "getetag"] = '"' + found[DAV + "getetag"].text.removeprefix("W/").strip('"') + '"'
        values[DAV + "getcontenttype"] = mimetypes.guess_type(path)[0] or "application/octet-stream"
    for tag, value in values.items():
        found[tag] = ET.Element(tag)
        found[tag].text = str(value)
    return found


def enrich(body, wanted, answered_at=None):
    """Answers like Nextcloud: what is there of the wanted properties with status 200, and the others with 404. With an address of a
    number, the path is a property as well."""
    tree = ET.Element(DAV + "multistatus")
    for said in ET.fromstring(body).findall(DAV + "response"):
        href = said.findtext(DAV + "href")
        path = unquote(urlsplit(href).path).rstrip("/")
        found = properties(path, said)
        if answered_at:
            found[NC + "meta-path-for-user"] = it = ET.Element(NC + "meta-path-for-user")
            it.text = path or "/"
        response = ET.SubElement(tree, DAV + "response")
        ET.SubElement(response, DAV + "href").text = answered_at or encoded(PREFIX + path) + ("/" if href.endswith("/") else "")
        for status, group in [("200 OK", [found[tag] for tag in wanted if tag in found]),
                              ("404 Not Found", [ET.Element(tag) for tag in wanted if tag not in found])]:
            if group:
                part = ET.SubElement(response, DAV + "propstat")
                ET.SubElement(part, DAV + "prop").extend(group)
                ET.SubElement(part, DAV + "status").text = f"HTTP/1.1 {status}"
    return ET.tostring(tree, encoding="utf-8", xml_declaration=True)


def names_in(body):
    """The names of the properties that a PROPFIND asks for; the usual ones without a list."""
    prop = ET.fromstring(body).find(DAV + "prop") if body else None
    usual = ("getlastmodified", "getcontentlength", "resourcetype", "getetag", "getcontenttype")
    return [DAV + it for it in usual] if prop is None else [it.tag for it in prop]


# What the layer needs of a server to answer any question.
QUESTION = (b'<d:propfind xmlns:d="DAV:"><d:prop><d:getlastmodified/><d:getcontentlength/><d:resourcetype/><d:getetag/>'
            b"<d:getcontenttype/></d:prop></d:propfind>")


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
            return self.reply(401, [("www-authenticate", 'Basic realm="Nextcloud", charset="UTF-8"')], b"")
        with lock:
            asked.append(f"{self.command} {path.removeprefix(PREFIX)}")
        if path == "/ocs/v2.php/cloud/user":
            return self.user()
        if path.startswith(META):
            return self.meta(path.removeprefix(META).rstrip("/"), names_in(body))
        if path != PREFIX and not path.startswith(PREFIX + "/"):
            return self.reply(404, [], b"")
        return self.pass_on(path.removeprefix(PREFIX), body)

    def user(self):
        if self.headers.get("ocs-apirequest") != "true":
            return self.reply(412, [("content-type", "application/json")], b'{"message":"CSRF check failed"}')
        said = {"ocs": {"meta": {"status": "ok", "statuscode": 200, "message": "OK"}, "data": {"id": "ada", "email": "ada@example.com"}}}
        return self.reply(200, [("content-type", "application/json; charset=utf-8")], json.dumps(said).encode())

    def meta(self, number, wanted):
        """Gives the path of a file by its number."""
        with lock:
            paths = [path for path, it in ids.items() if str(it) == number]
        got, said = self.ask(quote(paths[0] or "/"), QUESTION, {"depth": "0", "content-type": "application/xml"}) if paths else (None, b"")
        if got is None or got.status != 207:
            return self.reply(404, [], b"")
        return self.reply(207, XML, enrich(said, wanted, encoded(META + number + "/")))

    def pass_on(self, path, body):
        hop = ("host", "connection", "content-length", "transfer-encoding", "authorization", "accept-encoding", "destination",
               "overwrite")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in hop}
        wanted, destination = [], None
        if self.command == "PROPFIND":
            body, wanted = QUESTION, names_in(body)
            headers["content-type"] = "application/xml"
        if "destination" in self.headers:
            destination = unquote(urlsplit(self.headers["destination"]).path).removeprefix(PREFIX)
            headers["Destination"] = f"http://{backend}{quote(destination)}"
            # The default of the standard, which rclone does not have.
            headers["Overwrite"] = self.headers.get("overwrite", "T")
        is_there = os.path.exists(folder + (path if destination is None else destination))
        if self.command == "MKCOL" and is_there:
            return self.reply(405, [], b"")
        got, said = self.ask(quote(path or "/"), body or None, headers)
        if got is not None and got.status in (301, 308) and not path.endswith("/"):
            # Nextcloud does not mind a folder's name without a slash at its end.
            if destination is not None:
                headers["Destination"] = f"http://{backend}{quote(destination.rstrip('/') + '/')}"
            got, said = self.ask(quote(path + "/"), body or None, headers)
        if got is None:
            return self.reply(503, [], b"")
        if got.status < 300 and self.command in ("PUT", "DELETE", "MKCOL", "MOVE", "COPY"):
            written(self.command, path.rstrip("/"), destination and destination.rstrip("/"))
        if got.status == 207 and self.command == "PROPFIND":
            return self.reply(207, XML, enrich(said, wanted))
        kept = ("content-type", "etag", "last-modified", "dav", "allow")
        headers = [(name, value) for name, value in got.getheaders() if name.lower() in kept]
        if got.status in (200, 201, 204) and self.command in ("PUT", "MOVE", "COPY"):
            return self.reply(204 if is_there else 201, headers, b"")
        return self.reply(got.status, headers, said)

    do_GET = do_HEAD = do_PUT = do_DELETE = do_OPTIONS = do_POST = answer
    do_PROPFIND = do_PROPPATCH = do_MKCOL = do_MOVE = do_COPY = do_LOCK = do_UNLOCK = answer


def main():
    global backend, folder
    name, folder, port = (sys.argv[1:] + ["0"])[:3]
    # Ends the server as well, which is in a process group of its own.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with Server(name, folder) as server:
        backend = server.address
        layer = ThreadingHTTPServer(("127.0.0.1", int(port)), Layer)
        threading.Thread(target=layer.serve_forever, daemon=True).start()
        print(layer.server_port, flush=True)
        sys.stdin.read()


main()
