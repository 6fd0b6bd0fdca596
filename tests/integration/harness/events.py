"""Reads Server-Sent Events."""
import collections
import http.client
import json

Event = collections.namedtuple("Event", "id type data")


class EventStream:
    """A stream from now on, or from after an event. EventStream(daemon, path, last_event_id=, parameter=)."""

    def __init__(self, daemon, path="/events", last_event_id=None, parameter=None, timeout=20):
        headers = {"Last-Event-ID": str(last_event_id)} if last_event_id is not None else {}
        if parameter is not None:
            path += f"?last_event_id={parameter}"
        self._connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=timeout)
        self._connection.request("GET", path, headers=headers)
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200, self._answer.read()
        assert self._answer.headers["Content-Type"].startswith("text/event-stream")

    def next(self):
        """None at the end of the stream."""
        fields = {}
        while True:
            line = self._answer.readline().decode()
            if not line:
                return None
            if line == "\n":
                if "data" in fields:
                    return Event(int(fields["id"]) if "id" in fields else None, fields.get("event"), json.loads(fields["data"]))
                fields = {}
            elif not line.startswith(":"):
                name, value = line.rstrip("\n").split(":", 1)
                fields[name] = value.removeprefix(" ")

    def until(self, last):
        """The events up to the first for which last(event) holds."""
        seen = []
        while not seen or not last(seen[-1]):
            seen.append(self.next())
            assert seen[-1] is not None, f"the stream ended after {seen[:-1]}"
        return seen

    def rest(self):
        return list(iter(self.next, None))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()
