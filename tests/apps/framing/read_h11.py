"""Reads HTTP/1.1 messages with h11 and says what it saw.

Standard input: a JSON list of [side, method, upgrade, hex], where side is "request" or "response";
method and upgrade say what a response answers. Standard output: for each, the list of messages
that h11 read, in order, and the error that ended it, if one did.
"""

import json
import sys

import h11

ROOM = 1 << 20


def text(data):
    return bytes(data).decode("latin-1")


def fields(headers):
    return [[text(name), text(value)] for name, value in headers]


def read(connection, messages, started):
    """Reads one message to its end: whether it came to one."""
    while True:
        event = connection.next_event()
        if event in (h11.NEED_DATA, h11.PAUSED):
            return False
        if isinstance(event, h11.ConnectionClosed):
            return False
        if isinstance(event, h11.Data):
            messages[-1]["body"] += bytes(event.data).hex()
        elif isinstance(event, h11.EndOfMessage):
            messages[-1]["trailers"] = fields(event.headers)
            messages[-1]["complete"] = True
            messages[-1]["end"] = started - len(connection.trailing_data[0])
            return True
        else:
            message = {"fields": fields(event.headers), "body": "", "trailers": [], "complete": False, "end": None}
            message["version"] = text(event.http_version)
            if isinstance(event, h11.Request):
                message["start"] = text(event.method) + " " + text(event.target)
            else:
                message["start"] = str(event.status_code)
            messages.append(message)
            if isinstance(event, h11.InformationalResponse) and event.status_code == 101:
                message["complete"] = True
                message["end"] = started - len(connection.trailing_data[0])
                return True


def requests(data):
    messages, at = [], 0
    while at < len(data):
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=ROOM)
        connection.receive_data(data[at:])
        try:
            if not read(connection, messages, len(data)):
                return messages, None
        except h11.RemoteProtocolError as error:
            return messages, str(error)
        at = messages[-1]["end"]
    return messages, None


def responses(data, method, upgrade):
    messages = []
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=ROOM)
    headers = [("Host", "a")]
    if upgrade:
        headers += [("Connection", "upgrade"), ("Upgrade", upgrade)]
    connection.send(h11.Request(method=method, target="/", headers=headers))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    connection.receive_data(b"")
    try:
        read(connection, messages, len(data))
    except h11.RemoteProtocolError as error:
        return messages, str(error)
    return messages, None


def main():
    seen = []
    for side, method, upgrade, data in json.load(sys.stdin):
        data = bytes.fromhex(data)
        if side == "request":
            messages, error = requests(data)
        else:
            messages, error = responses(data, method, upgrade)
        seen.append({"messages": messages, "error": error})
    json.dump(seen, sys.stdout)


main()
