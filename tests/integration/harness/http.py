"""A small HTTP client for TCP and Unix sockets. A new connection for every request, so that none lingers."""
import http.client
import json
import socket
import urllib.parse


class Response:
    def __init__(self, status_code, headers, content):
        self.status_code, self.headers, self.content = status_code, headers, content

    @property
    def text(self):
        return self.content.decode()

    def json(self):
        return json.loads(self.content)

    def __repr__(self):
        return f"<Response {self.status_code} {self.content[:2000]!r}>"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Client:
    def __init__(self, port=None, unix_path=None):
        self.port, self.unix_path = port, unix_path

    def open(self, method, path, body=None, headers=None, timeout=60):
        """Sends a request now; the answer is read by calling what it returns."""
        connection = self._connect(timeout)
        connection.request(method, path, body, headers or {})

        def answer():
            try:
                got = connection.getresponse()
                return Response(got.status, got.headers, got.read())
            finally:
                connection.close()

        return answer

    def _connect(self, timeout):
        return (_UnixConnection(self.unix_path, timeout) if self.unix_path
                else http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout))

    def request(self, method, path, body=None, headers=None, timeout=10, **query):
        """body: bytes as they are, anything else as JSON."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        if query:
            path += "?" + urllib.parse.urlencode(query)
        connection = self._connect(timeout)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Response(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, **arguments):
        return self.request("GET", path, **arguments)

    def post(self, path, body=None, **arguments):
        return self.request("POST", path, body, **arguments)
