"""Reads HTTP/1.1 requests with gunicorn's parser and says what it saw.

Standard input and output are those of read_h11.py; there are only requests.
"""

import json
import sys

from gunicorn.config import Config
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.parser import RequestParser


def requests(config, data):
    messages = []
    parser = RequestParser(config, iter([data]), ("127.0.0.1", 1))
    try:
        for request in parser:
            fields = [[name, value] for name, value in request.headers]
            message = {"start": request.method + " " + request.uri, "fields": fields, "body": ""}
            message["version"] = "%d.%d" % request.version
            message.update(trailers=[], complete=False, end=None)
            messages.append(message)
            body = request.body.read()
            message["body"] = body.hex()
            lengths = [int(value) for name, value in fields if name == "CONTENT-LENGTH"]
            if lengths and len(body) < lengths[0]:
                return messages, None
            message["trailers"] = [[name, value] for name, value in request.trailers]
            message["complete"] = True
    except (NoMoreData, StopIteration):
        return messages, None
    except (ParseException, OSError) as error:
        return messages, type(error).__name__ + ": " + str(error)
    return messages, None


def main():
    config = Config()
    # A name with an underscore is dropped by default, which is no question of framing.
    config.set("header_map", "dangerous")
    seen = []
    for _, _, _, data in json.load(sys.stdin):
        messages, error = requests(config, bytes.fromhex(data))
        seen.append({"messages": messages, "error": error})
    json.dump(seen, sys.stdout)


main()
