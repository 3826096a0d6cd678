"""The only way out of the connector and of its MCP server: an HTTP proxy, behind which `http://github.test` is the emulation.

It judges each request of the connector by GitHub's official descriptions of its REST API and of its GraphQL schema, and
notes every request to another host. `GET /judged`, asked without a proxy, answers what it has found.

relay.py PORT EMULATION OPENAPI GRAPHQL
"""

import http.client
import http.server
import json
import re
import sys
import threading
import urllib.parse

from graphql import GraphQLError, build_schema, parse, validate

HOST = "github.test"
API = f"http://{HOST}/api/v3"
# Of one connection, not of a request.
HOP = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "content-length", "host"}


class Judge:
    """Compares requests with the descriptions."""

    def __init__(self, openapi, graphql):
        with open(openapi, encoding="utf-8") as file:
            self.rest = json.load(file)
        with open(graphql, encoding="utf-8") as file:
            self.schema = build_schema(file.read(), assume_valid=True)
        # The more of a path is given by its template, the better it fits.
        paths = sorted(self.rest["paths"], key=lambda path: path.count("{"))
        self.paths = [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), path) for path in paths]
        self.lock = threading.Lock()
        self.operations = set()
        self.problems = set()

    def of(self, reference):
        """Follows a `$ref`."""
        while "$ref" in reference:
            target = self.rest
            for key in reference["$ref"].removeprefix("#/").split("/"):
                target = target[key]
            reference = target
        return reference

    def request(self, method, path, query, body):
        operation, problems = self.graphql(body) if path == "/graphql" else self.call(method, path, query)
        with self.lock:
            self.operations.add(operation)
            self.problems.update(f"{method} {path}: {problem}" for problem in problems)

    def graphql(self, body):
        asked = json.loads(body)
        try:
            errors = validate(self.schema, parse(asked["query"]))
        except GraphQLError as error:
            errors = [error]
        return "graphql", [str(error) for error in errors]

    def call(self, method, path, query):
        fitting = [template for pattern, template in self.paths if pattern.fullmatch(path)]
        if not fitting or method.lower() not in self.rest["paths"][fitting[0]]:
            return "unknown", ["GitHub describes no such operation"]
        item = self.rest["paths"][fitting[0]]
        operation = item[method.lower()]
        declared = [self.of(it) for it in operation.get("parameters", []) + item.get("parameters", [])]
        declared = {it["name"]: it for it in declared if it["in"] == "query"}
        problems = []
        for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True):
            if name not in declared:
                problems.append(f"GitHub knows no parameter `{name}` here")
                continue
            schema = self.of(declared[name]["schema"])
            if value not in map(str, schema.get("enum", [value])):
                problems.append(f"`{name}` cannot be `{value}`")
            if schema.get("type") == "integer" and not value.isdigit():
                problems.append(f"`{name}` is a number, not `{value}`")
            if schema.get("format") == "date-time" and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value):
                problems.append(f"`{name}` is a time like 2026-01-31T12:00:00Z, not `{value}`")
        return operation["operationId"], problems


class Relay(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    judge = None
    emulation = None
    foreign = set()

    def relay(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        url = urllib.parse.urlsplit(self.path)
        if self.path == "/judged":
            found = {
                "operations": sorted(self.judge.operations),
                "problems": sorted(self.judge.problems),
                "foreign": sorted(self.foreign),
            }
            return self.reply(200, [], json.dumps(found).encode())
        if url.hostname != HOST or self.command == "CONNECT":
            self.foreign.add(f"{self.command} {url.netloc or self.path}")
            return self.reply(502, [], b"")
        # GraphQL of a company's own GitHub is beside its REST API.
        path = "/graphql" if url.path == "/api/graphql" else url.path.removeprefix("/api/v3")
        if self.headers.get("user-agent", "").startswith("omni-connector/"):
            self.judge.request(self.command, path, url.query, body)
        upstream = http.client.HTTPConnection("127.0.0.1", self.emulation, timeout=30)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        upstream.request(self.command, path + (f"?{url.query}" if url.query else ""), body or None, headers)
        answer = upstream.getresponse()
        content = answer.read()
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP]
        # Links are made of the request's address, which is not the one that the connector has.
        own = f"http://127.0.0.1:{self.emulation}"
        headers = [(name, value.replace(own, API) if name.lower() == "link" else value) for name, value in headers]
        self.reply(answer.status, headers, content)
        upstream.close()

    def reply(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_CONNECT = relay

    def log_message(self, *_):
        pass


Relay.emulation = int(sys.argv[2])
Relay.judge = Judge(sys.argv[3], sys.argv[4])
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Relay)
print("ready", flush=True)
server.serve_forever()
